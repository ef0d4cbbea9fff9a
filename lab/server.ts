import { readFileSync } from "node:fs";
import path from "node:path";
import { convertV4MiniflareOptions, Miniflare, type V4WorkerOptions } from "miniflare";
import { unstable_getMiniflareWorkerOptions } from "wrangler";
import { type Bundle, readModule } from "./bundle.ts";
import { BUNDLES, type BundleName, type Started } from "./bundles.ts";

/** A workerd of its own for one Worker. */
export interface Server extends Workerd {
	/** The Worker's own socket: Miniflare's router, which production has not, is left out. */
	readonly url: URL;
}

/** A workerd of its own for versions of a Worker, each with its socket. */
export interface Versions<Name extends string> extends Workerd {
	readonly urls: Readonly<Record<Name, URL>>;
}

interface Workerd {
	readonly miniflare: Miniflare;
	/** Null where there is no /proc to find it by. */
	readonly pid: number | null;
	dispose(): Promise<void>;
}

/** A Worker, and what it is started with. */
export interface Version extends Started {
	readonly code: Bundle;
}

export const NAME = "subject";

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

/** Miniflare around a Worker's bindings as its wrangler.toml has them, with all its stores in `state`. */
export async function startServer(started: Started, bundle: Bundle, options: ServerOptions): Promise<Server> {
	const { urls, ...workerd } = await startVersions({ [NAME]: { ...started, code: bundle } }, options);
	return { ...workerd, url: urls[NAME] as URL };
}

/**
 * Several versions of a Worker at once over the same stores, as Cloudflare has two of them while a deployment spreads.
 * The hubs of all of ours run the first one's code.
 */
export async function startVersions<Name extends string>(
	versions: Readonly<Record<Name, Version>>,
	options: ServerOptions,
): Promise<Versions<Name>> {
	const { state, inspected = false, onLog = () => {} } = options;
	const names = Object.keys(versions) as Name[];
	const hubs = names.find((name) => versions[name].bundle === "ours");
	const before = children();
	const miniflare = new Miniflare(
		convertV4MiniflareOptions({
			workers: names.map((name) => workerOptions(name, versions[name], hubs ?? name, options)),
			resourcePersistencePath: state,
			cf: false,
			...(inspected && { inspectorPort: 0 }),
			// Read, and dropped unless somebody wants them, as a log sink would.
			handleStructuredLogs: ({ message }) => onLog(message),
		}),
	);
	const urls = {} as Record<Name, URL>;
	for (const name of names) urls[name] = await miniflare.unsafeGetDirectURL(name);
	const pid = children().find((child) => !before.includes(child)) ?? null;
	return { urls, miniflare, pid, dispose: () => miniflare.dispose() };
}

function workerOptions(
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

function children(): number[] {
	try {
		return readFileSync(`/proc/self/task/${process.pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
	} catch {
		return [];
	}
}

/** The stores of a Worker by its config, to be filled. */
export async function openStores(name: BundleName, state: string, bundle: Bundle) {
	const server = await startServer({ bundle: name }, bundle, { state, secret: "" });
	return { ...(await storesOf(server.miniflare, NAME)), close: server.dispose };
}

/** The stores of a Worker that is running. */
export async function storesOf(miniflare: Miniflare, name: string) {
	return { d1: await miniflare.getD1Database("DB", name), kv: await miniflare.getKVNamespace("SESSIONS", name) };
}
