import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import type { Bundle } from "./bundle.ts";
import type { BundleName, Started } from "./bundles.ts";
import { type ServerOptions, type Version, workerOptions } from "./worker-options.ts";

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

export const NAME = "subject";

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
	for (let attempt = 1; ; attempt++) {
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
		try {
			const urls = {} as Record<Name, URL>;
			for (const name of names) urls[name] = await miniflare.unsafeGetDirectURL(name);
			const pid = children().find((child) => !before.includes(child)) ?? null;
			return { urls, miniflare, pid, dispose: () => miniflare.dispose() };
		} catch (error) {
			await miniflare.dispose().catch(() => {});
			// Once in a long while a store of the workerd before is still locked when the next one starts.
			if (attempt === START_ATTEMPTS || !String(error).includes("SQLITE_BUSY")) throw error;
			await sleep(300);
		}
	}
}

const START_ATTEMPTS = 5;

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
