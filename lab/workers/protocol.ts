/* What the benchmark and its observing wrapper, `observe.ts`, say to each other. */

/** A call to a store. `start` and `end` count events, so that "ended before it started" needs no clock. */
export interface Call {
	readonly store: "kv" | "d1" | "cache";
	readonly start: number;
	end: number | null;
	/** D1 only. */
	rowsRead: number;
}

/** How a request asks to be observed, as JSON in its header. */
export interface Observation {
	readonly kvMilliseconds: number;
	readonly d1Milliseconds: number;
	/** Whether to count rows where D1 does not tell them (`raw`, `first`), by running the statement once more. */
	readonly countRows: boolean;
}

export const OBSERVE_HEADER = "x-bench-observe";
/** Answers with the calls of the latest request, those after its response included. */
export const CALLS_PATH = "/bench/calls";
