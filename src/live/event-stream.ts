import { logError, logInfo } from "../log.ts";
import type { Scope } from "../scope.ts";
import { EventWriter, GoneError, type ServerEvent } from "./event-writer.ts";
import { type Follow, follow, type Outcome } from "./follow.ts";

/** How long a client waits before it comes back, in milliseconds. */
const RETRY_MILLISECONDS = 2_000;

/** Of a response with events. */
export const EVENT_HEADERS = {
	"content-type": "text/event-stream",
	// What a user sees is in no cache, and no proxy holds it back.
	"cache-control": "private, no-store",
	"x-accel-buffering": "no",
};

export interface EventStream {
	/** Aborts when the client of the request goes. */
	readonly signal: AbortSignal;
	/** What the client lacks. */
	readonly first: readonly ServerEvent[];
	/** What comes behind that; a reason where the stream is over by then. */
	readonly next: Follow | Outcome;
}

/** A body of server-sent events (HTML Living Standard, 9.2). Whatever refuses the request has done so by now. */
export function streamEvents(scope: Scope, { signal, first, next }: EventStream): ReadableStream<Uint8Array> {
	const events = new EventWriter(signal);
	void run(scope, events, first, next);
	return events.body;
}

async function run(
	scope: Scope,
	events: EventWriter,
	first: readonly ServerEvent[],
	next: Follow | Outcome,
): Promise<void> {
	const start = Date.now();
	let outcome: Outcome | "error" = "error";
	try {
		await events.write(`retry: ${RETRY_MILLISECONDS}\n\n`);
		await events.events(first);
		// A stream holds no history.
		first = [];
		outcome = typeof next === "string" ? next : await follow(scope, next, events);
		if (isEnd(outcome)) await events.events([{ event: "end", data: JSON.stringify({ reason: outcome }) }]);
	} catch (error) {
		// The client comes back by itself, and is answered afresh.
		if (events.isGone) outcome = error instanceof GoneError && error.isSlow ? "slow" : "client";
		else logError(scope, { event: "stream" }, error);
	} finally {
		const seconds = Math.round((Date.now() - start) / 1000);
		logInfo(scope, { event: "stream", seconds, ended: outcome, ...events.facts });
		// Behind the log: where a slow client's answer is broken off, nothing more of the request is run.
		await events.close();
	}
}

/** Whether a client is told, so that it does not come back. */
const isEnd = (outcome: Outcome) => outcome !== "time" && outcome !== "client" && outcome !== "slow";
