import { after } from "./runtime.ts";

/** A timer so late is not coming: on Workers it ends with the request that set it. */
const LOST_MILLISECONDS = 5_000;

/** Calls back at the earliest of the moments that it is set to. */
export class Alarm {
	readonly #callback: () => void;
	#set: { cancel: () => void; due: number } | undefined;

	constructor(callback: () => void) {
		this.#callback = callback;
	}

	setIn(milliseconds: number): void {
		const now = Date.now();
		const { due = 0 } = this.#set ?? {};
		if (this.#set && due <= now + milliseconds && due > now - LOST_MILLISECONDS) return;
		this.#set?.cancel();
		const cancel = after(milliseconds, () => {
			this.#set = undefined;
			this.#callback();
		});
		this.#set = { cancel, due: now + milliseconds };
	}
}
