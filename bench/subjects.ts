/** What is measured: a Worker, and how it is asked. */
export interface Subject {
	readonly name: string;
	readonly describe: string;
	readonly bundle: BundleName;
	/** Overrides of vars. */
	readonly vars?: Readonly<Record<string, string>>;
	/** Every read is a first read: nothing cached is found again. */
	readonly neverCached?: true;
	/** Sends the ETag that it got, and expects a 304. */
	readonly conditional?: true;
	/** The `Cache-Status` that every answer must have, or the measurement is not of what it says. */
	readonly cacheStatus?: RegExp;
}

/** The Workers: the config that binds their stores, and their main module where the config does not name it. */
export const BUNDLES = {
	ours: { config: "wrangler.toml", entry: undefined },
	hello: { config: "bench/peers/wrangler.toml", entry: "bench/peers/hello.ts" },
	floor: { config: "bench/peers/wrangler.toml", entry: "bench/peers/floor.ts" },
	handwritten: { config: "bench/peers/wrangler.toml", entry: "bench/peers/handwritten.ts" },
	tutorial: { config: "bench/peers/wrangler.toml", entry: "bench/peers/tutorial/index.ts" },
} as const;

export type BundleName = keyof typeof BUNDLES;

/** In this order in the table. */
export const SUBJECTS: readonly Subject[] = [
	{ name: "hello", describe: "no bindings: workerd and the load generator alone", bundle: "hello" },
	{ name: "floor", describe: "KV and a stored body from the cache, at once; no framework", bundle: "floor" },
	{ name: "handwritten", describe: "KV, then one D1 batch of three selects; no framework", bundle: "handwritten" },
	{ name: "tutorial", describe: "Hono and Drizzle's relational queries, one after the other", bundle: "tutorial" },
	{
		name: "first read",
		describe: "ours, nothing cached",
		bundle: "ours",
		neverCached: true,
	},
	{
		name: "unchanged",
		describe: "ours, cached but past the fresh window: D1 says that it still holds",
		bundle: "ours",
		vars: { FRESH_SECONDS: "0" },
		cacheStatus: /revalidated|fwd=stale/,
	},
	{
		name: "fresh",
		describe: "ours, cached and within the fresh window",
		bundle: "ours",
		// Beyond the run's length, so that every read is what it says.
		vars: { FRESH_SECONDS: "3600" },
		cacheStatus: /hit/,
	},
	{
		name: "304",
		describe: "ours, fresh, and the client has it already",
		bundle: "ours",
		vars: { FRESH_SECONDS: "3600" },
		conditional: true,
		cacheStatus: /hit/,
	},
];
