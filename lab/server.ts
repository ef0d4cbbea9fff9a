import { cpSync, readFileSync } from "node:fs";
import path from "node:path";
import { convertV4MiniflareOptions, Miniflare, type V4WorkerOptions } from "miniflare";
import { unstable_getMiniflareWorkerOptions } from "wrangler";
import { type Bundle, readModule } from "./bundle.ts";
import { BUNDLES, type BundleName, type Started } from "./bundles.ts";

/** A workerd of its own for one Worker. */
export interface Server {
	/** The Worker's own socket: Miniflare's router, which production has not, is left out. */
	readonly url: URL;
	readonly miniflare: Miniflare;
	/** Null where there is no /proc to find it by. */
	readonly pid: number | null;
	dispose(): Promise<void>;
}

const NAME = "subject";

export interface ServerOptions {
	/** The directory of its stores. */
	readonly state: string;
	/** The secret of the session cookies. */
	readonly secret: string;
	/** Counts calls to stores and can slow them down; see `workers/observe.ts`. */
	readonly observed?: boolean;
	/** Lets a debugger in: `miniflare.getInspectorURL()`. */
	readonly inspected?: boolean;
}

/** Miniflare around a Worker's bindings as its wrangler.toml has them, with all its stores in `state`. */
export async function startServer(
	{ bundle: name, vars, neverCached }: Started,
	bundle: Bundle,
	{ state, secret, observed = false, inspected = false }: ServerOptions,
): Promise<Server> {
	const wrappers = [
		...(neverCached ? ["miss.ts"] : []),
		...(observed ? ["protocol.ts", "observe.ts"] : []),
		...(inspected ? ["silent.ts"] : []),
	];
	const modules = [
		{
			name: "main.js",
			code: mainModule({ neverCached: neverCached === true, observed, inspected, hub: name === "ours" }),
		},
		{ name: "subject.js", code: bundle.code },
		...wrappers.map((each) => ({ name: each, code: readModule(each) })),
	];
	const config = unstable_getMiniflareWorkerOptions(path.join(root, BUNDLES[name].config));
	const bound = config.workerOptions as V4WorkerOptions;
	// Miniflare plays assets and rate limits by Workers of its own, which cost as much as KV does; in production they
	// are next to nothing. And the load is above any limit.
	delete bound.assets;
	delete bound.ratelimits;
	// Only ours has the hub; a peer over the same tables is another Worker.
	if (name !== "ours") delete bound.durableObjects;
	const options: V4WorkerOptions = {
		...bound,
		name: NAME,
		rootPath: state,
		modules: modules.map(({ name, code }) => ({ type: "ESModule", path: path.join(state, name), contents: code })),
		bindings: { ...bound.bindings, ...vars, BETTER_AUTH_SECRET: secret },
		unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
	};
	const before = children();
	const miniflare = new Miniflare(
		convertV4MiniflareOptions({
			workers: [options],
			resourcePersistencePath: state,
			cf: false,
			...(inspected && { inspectorPort: 0 }),
			// A Worker's log lines are read and dropped, as a log sink would.
			handleStructuredLogs: () => {},
		}),
	);
	const url = await miniflare.unsafeGetDirectURL(NAME);
	const pid = children().find((child) => !before.includes(child)) ?? null;
	return { url, miniflare, pid, dispose: () => miniflare.dispose() };
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

function children(): number[] {
	try {
		return readFileSync(`/proc/self/task/${process.pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
	} catch {
		return [];
	}
}

/** Copies stores that were filled before: each server writes to its own. */
export function copyState(from: string, to: string): string {
	cpSync(from, to, { recursive: true });
	return to;
}

/** The stores of a Worker by its config, to be filled. */
export async function openStores(name: BundleName, state: string, bundle: Bundle) {
	const server = await startServer({ bundle: name }, bundle, { state, secret: "" });
	return {
		d1: await server.miniflare.getD1Database("DB", NAME),
		kv: await server.miniflare.getKVNamespace("SESSIONS", NAME),
		close: server.dispose,
	};
}
