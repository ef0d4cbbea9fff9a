import type { Started } from "../lab/bundles.ts";

/** What is measured: a Worker, and how it is asked. */
export interface Subject extends Started {
	readonly name: string;
	readonly about: string;
	/** Sends, as a client that has read before would, the answer's ETag. */
	readonly sends?: "if-none-match";
	/** The `Cache-Status` that every answer must have, or the measurement is not of what it says. */
	readonly cacheStatus?: RegExp;
}

/** Beyond the length of a timed stretch, so that every read in it is within the fresh window. */
const ALWAYS_FRESH = { FRESH_SECONDS: "60" };

/** Every read asks D1. */
const NEVER_FRESH = { FRESH_SECONDS: "0" };

/** In the table's order. */
export const SUBJECTS: readonly Subject[] = [
	{ name: "hello", about: "no bindings: what workerd and the load generator can do at most", bundle: "hello" },
	{ name: "floor", about: "KV and a stored body from the Cache API at once, passed on; no framework", bundle: "floor" },
	{ name: "handwritten", about: "KV, then one D1 batch of three selects; no framework, no ORM", bundle: "handwritten" },
	{ name: "tutorial", about: "Hono and Drizzle's relational queries: KV, then D1, then D1", bundle: "tutorial" },
	{
		name: "bare read",
		about: "the calls of our first read, and nothing around them",
		bundle: "bare",
		neverCached: true,
	},
	{ name: "first read", about: "ours, nothing cached", bundle: "ours", neverCached: true, cacheStatus: /fwd=miss/ },
	{
		name: "unchanged",
		about: "ours, cached, and D1 asked whether the copy still holds: it does",
		bundle: "ours",
		vars: NEVER_FRESH,
		cacheStatus: /fwd=stale; fwd-status=304/,
	},
	{
		name: "fresh",
		about: "ours, cached, within the fresh window",
		bundle: "ours",
		vars: ALWAYS_FRESH,
		cacheStatus: /hit/,
	},
	{
		name: "304",
		about: "ours, as fresh, and the client has it already",
		bundle: "ours",
		vars: ALWAYS_FRESH,
		sends: "if-none-match",
		cacheStatus: /hit/,
	},
];
