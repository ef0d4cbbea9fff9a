import { EdgeRunsError, toError, toUnexpected } from "./errors.ts";
import { readEvents, type StreamEvent } from "./event-reader.ts";
import { describeNoAnswer, type End, type Loss, type LossReason, readEnd, refusedBy } from "./state.ts";

/** Opens a stream, from the state that `lastEventId` names on. It resolves with the answer, whatever its status. */
export type Connect = (lastEventId: string | undefined, signal: AbortSignal) => Promise<Response>;

export interface LineOptions {
	readonly connect: Connect;
	readonly lastEventId: string | undefined;
	/** A line on which nothing is heard for this long is given up, in milliseconds. */
	readonly silence: number;
	/** Something was heard for the first time. */
	onLive(): void;
	/** An event other than `end`; an error it throws loses the line as `unexpected`. */
	onEvent(event: StreamEvent): void;
}

/** What became of a line: lost, or at its end for good. */
export type Lost = Loss | { readonly end: End };

/** One line to a stream, from being opened to being lost. */
export class Line {
	/** When the first was heard: milliseconds since the epoch; null before. */
	liveAt: number | null = null;
	readonly #options: LineOptions;
	readonly #stop = new AbortController();
	/** When something was last heard, or it was opened: milliseconds since the epoch. */
	#heardAt = Date.now();
	#hungUp: Loss | null = null;
	#silence: ReturnType<typeof setTimeout> | undefined;

	constructor(options: LineOptions) {
		this.#options = options;
	}

	/** Gives the line up. */
	hangUp(reason: LossReason, message: string): void {
		this.#hungUp ??= { reason, message, error: null };
		this.#stop.abort();
	}

	/** Hangs up if nothing was heard for too long: timers stand still while a device sleeps. */
	check(): void {
		const { silence } = this.#options;
		if (Date.now() - this.#heardAt >= silence) this.hangUp("silent", `Nothing was heard for ${silence / 1000} s`);
	}

	/** Resolves with what became of it. It never rejects. */
	async run(): Promise<Lost> {
		try {
			this.#heard();
			return await unlessAborted(this.#listen(), this.#stop.signal);
		} catch (error) {
			if (this.#hungUp) return this.#hungUp;
			if (error instanceof EdgeRunsError) return judge(error);
			if (this.liveAt === null) return { reason: "no_answer", message: describeNoAnswer(error), error };
			return { reason: "closed", message: "The line broke", error };
		} finally {
			clearTimeout(this.#silence);
			this.#stop.abort();
		}
	}

	async #listen(): Promise<Lost> {
		const { connect, lastEventId, onLive, onEvent } = this.#options;
		const { signal } = this.#stop;
		const response = await connect(lastEventId, signal);
		if (this.#hungUp) return this.#hungUp;
		if (response.status === 204)
			return { end: { reason: "run_ended", message: "The workflow run has ended", error: null } };
		if (!response.ok) throw await toError(response);
		const isStream = /^text\/event-stream\b/i.test(response.headers.get("content-type") ?? "");
		if (!isStream || !response.body) throw toUnexpected(response, "an event stream");

		let end: End | undefined;
		const feed = readEvents((event) => {
			if (end) return;
			try {
				if (event.event === "end") end = readEnd(event.data, response.headers.get("x-request-id"));
				else onEvent(event);
			} catch (cause) {
				const error = toUnexpected(response, "events of edge-runs");
				error.cause = cause;
				throw error;
			}
		});
		const decoder = new TextDecoder();
		// Not by `for await`: some browsers cannot iterate a ReadableStream.
		const reader = response.body.getReader();
		signal.addEventListener("abort", () => void reader.cancel().catch(() => {}));
		for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
			if (this.#hungUp) return this.#hungUp;
			this.#heard();
			if (this.liveAt === null) {
				this.liveAt = this.#heardAt;
				onLive();
			}
			feed(decoder.decode(chunk.value, { stream: true }));
			if (end) return { end };
		}
		return this.#hungUp ?? { reason: "closed", message: "The service closed the line", error: null };
	}

	#heard(): void {
		this.#heardAt = Date.now();
		clearTimeout(this.#silence);
		this.#silence = setTimeout(() => this.check(), this.#options.silence);
	}
}

/** Whether a refusal ends it for good. */
function judge(error: EdgeRunsError): Lost {
	const { status, message } = error;
	// Too Many Requests, Too Early and Request Timeout pass, as what servers could not do does.
	if (status >= 500 || status === 429 || status === 425 || status === 408) return { reason: "refused", message, error };
	if (error.code === "UNEXPECTED_RESPONSE") return { reason: "unexpected", message, error };
	return { end: refusedBy(error) };
}

/** Settles at once when `signal` is aborted, even where the `fetch` that was given does not know it. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
	return new Promise((resolve, reject) => {
		signal.addEventListener("abort", () => reject(signal.reason));
		promise.then(resolve, reject);
	});
}
