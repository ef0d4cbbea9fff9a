/** A closed run's height before any was measured, in CSS pixels. */
const USUAL = 66;

/** The heights of the runs in a list of which only a part is drawn. A run that was never drawn is as high as most. */
export class Heights {
	readonly #measured = new Map<string, number>();
	#usual = USUAL;
	#isUsualGuessed = true;

	note(id: string, height: number): void {
		// Not laid out: what is around the list is hidden.
		if (height === 0) return;
		this.#measured.set(id, height);
	}

	/**
	 * Takes the mean height of closed runs for that of all others. Once: a pixel more or less, 10,000 times, would move what
	 * one looks at out of sight.
	 */
	noteUsual(heights: readonly number[]): void {
		if (!this.#isUsualGuessed || heights.length === 0) return;
		this.#usual = heights.reduce((sum, height) => sum + height, 0) / heights.length;
		this.#isUsualGuessed = false;
	}

	/** The list has another width: the next closed runs that are measured say how high the others are. */
	widthChanged(): void {
		this.#isUsualGuessed = true;
	}

	of(id: string): number {
		return this.#measured.get(id) ?? this.#usual;
	}

	sum(ids: readonly { readonly id: string }[]): number {
		return ids.reduce((sum, { id }) => sum + this.of(id), 0);
	}

	/**
	 * Which runs lie within a stretch of the list, the last one not included.
	 * @param from in pixels from the list's top
	 */
	within(runs: readonly { readonly id: string }[], from: number, to: number): [first: number, end: number] {
		let [top, first] = [0, runs.length];
		for (const [index, { id }] of runs.entries()) {
			const bottom = top + this.of(id);
			if (bottom > from && first === runs.length) first = index;
			if (top >= to) return [Math.min(first, index), index];
			top = bottom;
		}
		return [first, runs.length];
	}
}
