import path from "node:path";
import type { V4WorkerOptions } from "miniflare";
import { unstable_getMiniflareWorkerOptions } from "wrangler";
import { type Bundle, readModule } from "./bundle.ts";
import { BUNDLES, type Started } from "./bundles.ts";

/** A Worker, and what it is started with. */
export interface Version extends Started {
	readonly code: Bundle;
}

export interface ServerOptions {
	/** The directory of its stores. */
	readonly state: string;
	/** The secret of the session cookies, unless a Worker's vars have another. */
	readonly secret: string;
	/** Counts calls to stores and can slow them down; see `workers/observe.ts`. */
	readonly observed?: boolean;
	/** Lets a debugger in: `miniflare.getInspectorURL()`. */
	readonly inspected?: boolean;
	/** Gets each line of the log. */
	readonly onLog?: (line: string) => void;
}

/** A Worker as its wrangler.toml has it, for Miniflare. @param hubs the version whose code the hubs run */
export function workerOptions(
	name: string,
	{ bundle, vars, neverCached, code }: Version,
	hubs: string,
	{ state, secret, observed = false, inspected = false }: ServerOptions,
): V4WorkerOptions {
	const wrappers = [
		...(neverCached ? ["miss.ts"] : []),
		...(observed ? ["protocol.ts", "observe.ts"] : []),
		...(inspected ? ["silent.ts"] : []),
	];
	const wrapped = { neverCached: neverCached === true, observed, inspected, hub: bundle === "ours" };
	const modules = [
		{ name: "main.js", code: mainModule(wrapped) },
		{ name: "subject.js", code: code.code },
		...wrappers.map((each) => ({ name: each, code: readModule(each) })),
	];
	const config = unstable_getMiniflareWorkerOptions(path.join(root, BUNDLES[bundle].config));
	const bound = config.workerOptions as V4WorkerOptions;
	// Miniflare plays assets and rate limits by Workers of its own, which cost as much as KV does; in production they
	// are next to nothing. And the load is above any limit.
	delete bound.assets;
	delete bound.ratelimits;
	// Only ours has the hub; a peer over the same tables is another Worker.
	if (bundle !== "ours") delete bound.durableObjects;
	else if (name !== hubs) bound.durableObjects = { HUB: { className: "ChatHub", scriptName: hubs, useSQLite: true } };
	return {
		...bound,
		name,
		rootPath: state,
		modules: modules.map(({ name, code }) => ({ type: "ESModule", path: path.join(state, name), contents: code })),
		bindings: { ...bound.bindings, BETTER_AUTH_SECRET: secret, ...vars },
		unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
	};
}

const root = path.dirname(import.meta.dirname);

interface Wrapped {
	readonly neverCached: boolean;
	readonly observed: boolean;
	readonly inspected: boolean;
	/** Whether the Worker has the Durable Object class of the hub. */
	readonly hub: boolean;
}

/** The Worker's exports, behind the wrappers. Those replace globals, so they are imported first. */
function mainModule({ neverCached, observed, inspected, hub }: Wrapped): string {
	return [
		...(neverCached ? ['import "./miss.ts";'] : []),
		...(inspected ? ['import "./silent.ts";'] : []),
		...(observed ? ['import { observe, observeHub } from "./observe.ts";'] : []),
		'import * as subject from "./subject.js";',
		`export default ${observed ? "observe(subject.default)" : "subject.default"};`,
		...(hub ? [`export const ChatHub = ${observed ? "observeHub(subject.ChatHub)" : "subject.ChatHub"};`] : []),
	].join("\n");
}
