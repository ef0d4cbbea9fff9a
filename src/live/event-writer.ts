import { DeadlineError, withDeadline } from "../deadline.ts";

/** A client that does not take a part within this time is dropped. It comes back. */
const SLOW_SECONDS = 30;
/** In bytes. A large event goes out in parts, so that a client that is slow, but there, gets it. */
const PART_BYTES = 262_144;
/** In UTF-16 code units: so many events are put together, so that many small ones are one write and large ones not one text. */
const MAX_TOGETHER = 1_000_000;

export interface ServerEvent {
	readonly event: string;
	/** JSON, on one line: text, or bytes in UTF-8. */
	readonly data: string | Uint8Array;
	/** What the client sends as `Last-Event-ID` when it comes back. None: there is more to come of the same change. */
	readonly id?: string;
}

/** The client has gone, or takes nothing. */
export class GoneError extends Error {
	override readonly name = "GoneError";

	get isSlow(): boolean {
		return this.cause instanceof DeadlineError;
	}
}

/** Writes server-sent events. Holds nothing: each write waits until the client has taken it. */
export class EventWriter {
	readonly body: ReadableStream<Uint8Array>;
	/** Settles when the client has gone. */
	readonly gone: Promise<void>;
	readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
	readonly #encoder = new TextEncoder();
	#told = 0;
	readonly #delays = { count: 0, sum: 0, slowest: 0 };
	#isGone = false;
	#writtenAt = Date.now();

	/** @param signal aborts when the client of the request goes */
	constructor(signal: AbortSignal) {
		const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
		this.body = readable;
		this.#writer = writable.getWriter();
		const { promise: aborted, resolve } = Promise.withResolvers<void>();
		if (signal.aborted) resolve();
		signal.addEventListener("abort", () => resolve(), { once: true });
		const closed = this.#writer.closed.catch(() => {});
		this.gone = Promise.race([aborted, closed]).then(() => {
			this.#isGone = true;
		});
	}

	get isGone(): boolean {
		return this.#isGone;
	}

	/** When something was last written, in milliseconds since the epoch. */
	get writtenAt(): number {
		return this.#writtenAt;
	}

	/** How many events were told. */
	get told(): number {
		return this.#told;
	}

	/** For the stream's line in the log: its events, and how long changes took from report to client: on average, and the slowest. */
	get facts() {
		const { count, sum, slowest } = this.#delays;
		if (count === 0) return { events: this.#told };
		return { events: this.#told, delayMilliseconds: Math.round(sum / count), slowestMilliseconds: slowest };
	}

	/** Sends events (HTML Living Standard, 9.2). @throws {GoneError} */
	async events(events: readonly ServerEvent[]): Promise<void> {
		let together = "";
		for (const { event, data, id } of events) {
			together += `event: ${event}\ndata: `;
			if (typeof data === "string") together += data;
			else {
				await this.write(together);
				await this.#writeBytes(data);
				together = "";
			}
			together += id === undefined ? "\n\n" : `\nid: ${id}\n\n`;
			if (together.length > MAX_TOGETHER) {
				await this.write(together);
				together = "";
			}
		}
		if (together) await this.write(together);
		this.#told += events.length;
	}

	/** Notes when the change that was told just now was reported, in milliseconds since the epoch: on another machine's clock. */
	noteReported(at: number): void {
		const delay = Math.max(0, Date.now() - at);
		this.#delays.count += 1;
		this.#delays.sum += delay;
		this.#delays.slowest = Math.max(this.#delays.slowest, delay);
	}

	/** @throws {GoneError} */
	write(text: string): Promise<void> {
		return this.#writeBytes(this.#encoder.encode(text));
	}

	async #writeBytes(bytes: Uint8Array): Promise<void> {
		if (this.#isGone) throw new GoneError();
		try {
			for (let at = 0; at < bytes.length; at += PART_BYTES) {
				await withDeadline(this.#writer.write(bytes.subarray(at, at + PART_BYTES)), SLOW_SECONDS);
			}
		} catch (error) {
			this.#isGone = true;
			throw new GoneError("the client has gone, or takes nothing", { cause: error });
		}
		this.#writtenAt = Date.now();
	}

	/** Ends the stream. What a slow client has not taken is given up. Never rejects. */
	async close(): Promise<void> {
		await (this.#isGone ? this.#writer.abort() : this.#writer.close()).catch(() => {});
	}
}
