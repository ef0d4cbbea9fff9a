/**
 * Moments that never repeat: of two activities the one with the later moment counts, and on Workers the clock stands
 * still between one I/O and the next.
 */
export class Clock {
	#last = 0;

	/** Now, or a millisecond after the last one. ISO 8601, UTC, milliseconds. */
	next(): string {
		this.#last = Math.max(Date.now(), this.#last + 1);
		return new Date(this.#last).toISOString();
	}
}
