import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Bundle, bundle, readBundle } from "../lab/bundle.ts";
import { BUNDLES, type BundleName, type Started } from "../lab/bundles.ts";
import type { ChatSize } from "../lab/data.ts";
import { seedOurs, seedPeers, seedSession } from "../lab/seed.ts";
import { openStores, type Server, startServer } from "../lab/server.ts";

/** All Workers bundled and all stores filled, once; each server then gets a copy. */
export interface Stage {
	readonly sizes: readonly ChatSize[];
	readonly bundles: Readonly<Record<BundleName, Bundle>>;
	/** The session cookie of the chats' owner. */
	readonly cookie: string;
	/**
	 * @param observed counts calls to stores and can slow them down; see `workers/observe.ts`
	 * @param inspected lets a debugger in; see `profiler.ts`
	 */
	start(subject: Started, observed?: boolean, inspected?: boolean): Promise<Server>;
	/** Stops all servers and removes all files. */
	dispose(): Promise<void>;
}

/** For HMAC-SHA256; the service asks for at least 32 characters. */
const SECRET = "the benchmark's own, of more than thirty-two characters";

/**
 * @param seeded the chats that there are; those of the reads unless given
 * @param readable bundles with the code's own names, for a profile
 */
export async function setStage(sizes: readonly ChatSize[], seeded = sizes, readable = false): Promise<Stage> {
	const directory = mkdtempSync(path.join(tmpdir(), "edge-runs-bench-"));
	const servers: Server[] = [];
	const dispose = async () => {
		await Promise.all(servers.map((server) => server.dispose()));
		rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
	};
	try {
		const bundles = await bundleAll(directory, readable);
		const state = path.join(directory, "seeded");
		const cookie = await fillStores(state, bundles, seeded);
		const start = async (subject: Started, observed = false, inspected = false) => {
			const own = path.join(directory, `state-${servers.length}`);
			cpSync(state, own, { recursive: true });
			const options = { state: own, secret: SECRET, observed, inspected };
			const server = await startServer(subject, bundles[subject.bundle], options);
			servers.push(server);
			return server;
		};
		return { sizes, bundles, cookie, start, dispose };
	} catch (error) {
		await dispose();
		throw error;
	}
}

async function bundleAll(directory: string, readable: boolean): Promise<Record<BundleName, Bundle>> {
	const names = Object.keys(BUNDLES) as BundleName[];
	const bundled = names.map(async (name) => {
		const { config, entry } = BUNDLES[name];
		const isBundled = entry?.endsWith(".js");
		return [
			name,
			isBundled ? readBundle(entry as string) : await bundle(config, path.join(directory, name), entry, readable),
		] as const;
	});
	return Object.fromEntries(await Promise.all(bundled)) as Record<BundleName, Bundle>;
}

async function fillStores(state: string, bundles: Record<BundleName, Bundle>, sizes: readonly ChatSize[]) {
	const ours = await openStores("ours", state, bundles.ours);
	await seedOurs(ours.d1, sizes);
	// Both configs name the same KV namespace: all sign the same session in.
	const cookie = await seedSession(ours.kv, SECRET);
	await ours.close();
	const peers = await openStores("floor", state, bundles.floor);
	await seedPeers(peers.d1, sizes);
	await peers.close();
	return cookie;
}
