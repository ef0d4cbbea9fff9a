const PEERS = "bench/peers/wrangler.toml";

/** The Workers: a wrangler.toml with their bindings, and their main module where that is not the config's. */
export const BUNDLES = {
	ours: { config: "wrangler.toml", entry: undefined },
	bare: { config: "wrangler.toml", entry: "bench/peers/bare.ts" },
	/** Version 0.1, which polled for its streams: the bundle that `wrangler deploy --dry-run` made of its sources. */
	"version 1": { config: "wrangler.toml", entry: "bench/peers/version-1.js" },
	hello: { config: PEERS, entry: "bench/peers/hello.ts" },
	floor: { config: PEERS, entry: "bench/peers/floor.ts" },
	handwritten: { config: PEERS, entry: "bench/peers/handwritten.ts" },
	tutorial: { config: PEERS, entry: "bench/peers/tutorial/index.ts" },
} as const;

export type BundleName = keyof typeof BUNDLES;

/** What a server is started with. */
export interface Started {
	readonly bundle: BundleName;
	/** Overrides of the config's vars. */
	readonly vars?: Readonly<Record<string, string>>;
	/** Every read is a first read: nothing cached is found again. */
	readonly neverCached?: true;
}
