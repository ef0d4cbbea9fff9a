import { writeFileSync } from "node:fs";
import path from "node:path";
import type { V4WorkerOptions } from "miniflare";
import { Stop } from "../command-line.ts";
import { seedDatabase, seedSession } from "../seed.ts";
import { root, wrangler } from "../wrangler.ts";

/**
 * Migrates and seeds local D1, stores a session in local KV, and writes the cookie jar for it.
 * @param state wrangler's folder for local stores
 * @throws {Stop} with what to do, if the local stores are broken
 */
export async function prepareState(state: string, cookieJar: string, secret: string): Promise<void> {
	const migration = await wrangler(["d1", "migrations", "apply", "DB", "--local", "--env=", "--persist-to", state]);
	if (migration.code !== 0) failOnState(state, migration.stdout + migration.stderr);
	try {
		const { d1, kv, dispose } = await openStores(state);
		try {
			await seedDatabase(d1);
			writeFileSync(cookieJar, await seedSession(kv, secret), { mode: 0o600 });
		} finally {
			await dispose();
		}
	} catch (error) {
		failOnState(state, error instanceof Error ? (error.stack ?? error.message) : String(error));
	}
}

/** The stores of wrangler.toml as `wrangler dev` finds them. Without the Worker, and so without its Durable Object. */
async function openStores(state: string) {
	// They take a second to load. If the port is in use, that is said before.
	const { unstable_getMiniflareWorkerOptions } = await import("wrangler");
	const { convertV4MiniflareOptions, Miniflare } = await import("miniflare");
	const { workerOptions } = unstable_getMiniflareWorkerOptions(path.join(root, "wrangler.toml"), "");
	const { d1Databases = {}, kvNamespaces = {} } = workerOptions as V4WorkerOptions;
	const worker: V4WorkerOptions = { modules: true, script: "export default {}", d1Databases, kvNamespaces };
	const persistence = { resourcePersistencePath: path.join(state, "v3"), cf: false as const };
	const miniflare = new Miniflare(convertV4MiniflareOptions({ workers: [worker], ...persistence }));
	return {
		d1: await miniflare.getD1Database("DB"),
		kv: await miniflare.getKVNamespace("SESSIONS"),
		dispose: () => miniflare.dispose(),
	};
}

function failOnState(state: string, reason: string): never {
	throw new Stop(
		`${reason.trim()}\n\nThe local database could not be prepared. If another "npm run dev" is not using it, delete the local state\n` +
			`and run this again (all local data goes):\n\n  rm -rf ${path.relative(root, state) || state}`,
	);
}
