import type { ChangeMessage } from "../db/hub.ts";
import { decodeMessage } from "./message.ts";

/**
 * What waits for a slow client, in UTF-16 code units. Beyond it, D1 is read when the client is ready again. One message
 * fits in, and a hundred slow clients into the 128 MB of an isolate.
 */
const MAX_WAITING = 300_000;

/**
 * What a hub has told and a stream has not passed on yet, bounded; and the bell that wakes the stream.
 */
export class Inbox {
	readonly #texts: string[] = [];
	#size = 0;
	#hasLost = false;
	#rung = false;
	#wake: (() => void) | null = null;

	/** Of all messages that wait, in UTF-16 code units. */
	get size(): number {
		return this.#size;
	}

	put(text: string): void {
		this.#size += text.length;
		if (this.#size > MAX_WAITING) this.lose();
		else this.#texts.push(text);
		this.ring();
	}

	/** The next message; undefined if there is none. */
	take(): ChangeMessage | undefined {
		const text = this.#texts.shift();
		if (text === undefined) return undefined;
		this.#size -= text.length;
		return decodeMessage(text);
	}

	/** Forgets all messages. D1 has what they told. */
	lose(): void {
		this.#texts.length = 0;
		this.#size = 0;
		this.#hasLost = true;
	}

	/** Whether messages were lost since this was last asked. */
	hasLost(): boolean {
		const hasLost = this.#hasLost;
		this.#hasLost = false;
		return hasLost;
	}

	/** Wakes whoever waits, or the next who would. */
	ring(): void {
		this.#rung = true;
		this.#wake?.();
	}

	/** Until the bell is rung, or the time is up. */
	async wait(milliseconds: number): Promise<void> {
		if (!this.#rung) {
			const { promise, resolve } = Promise.withResolvers<void>();
			const timer = setTimeout(resolve, Math.max(0, milliseconds));
			this.#wake = resolve;
			await promise;
			clearTimeout(timer);
			this.#wake = null;
		}
		this.#rung = false;
	}
}
