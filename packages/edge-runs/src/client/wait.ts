/** The wait before a line is tried again. `over` resolves when it is. */
export class Wait {
	readonly over: Promise<void>;
	#end: () => void = () => {};
	#timer: ReturnType<typeof setTimeout> | undefined;
	readonly #notBefore: number;

	/** @param milliseconds how long it is; `atLeast` of them even for somebody in a hurry, since the service asked for it */
	constructor(milliseconds: number, atLeast: number) {
		this.#notBefore = Date.now() + atLeast;
		this.over = new Promise((resolve) => {
			this.#end = resolve;
		});
		this.#endIn(milliseconds);
	}

	/** There is a reason to try at once. */
	hurry(): void {
		this.#endIn(Math.max(0, this.#notBefore - Date.now()));
	}

	/** Nobody is interested until somebody is in a hurry. */
	hold(): void {
		clearTimeout(this.#timer);
	}

	end(): void {
		clearTimeout(this.#timer);
		this.#end();
	}

	#endIn(milliseconds: number): void {
		clearTimeout(this.#timer);
		this.#timer = setTimeout(this.#end, milliseconds);
	}
}
