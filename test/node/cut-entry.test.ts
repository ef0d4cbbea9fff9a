import { mkdtempSync, readdirSync, rmSync, statSync, truncateSync } from "node:fs";
import { Agent } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ask } from "../../lab/ask.ts";
import { type Bundle, bundle } from "../../lab/bundle.ts";
import { chatIdOf } from "../../lab/data.ts";
import { seedOurs, seedSession } from "../../lab/seed.ts";
import { openStores, type Server, startServer } from "../../lab/server.ts";

/*
 * The edge cache's files, cut behind its back: the deployed bundle over HTTP, a real cache. See
 * test/workerd/reads/cached-body.test.ts for all that can go wrong with a body.
 */

const SECRET = "a secret of this test of at least thirty-two characters";
/** Large enough to be passed on unread. */
const SIZE = { runs: 400, steps: 5 };
const folder = mkdtempSync(path.join(tmpdir(), "edge-runs-cut-entry-"));
const state = path.join(folder, "state");
const agent = new Agent({ keepAlive: true });
let built: Bundle;
let server: Server;
let cookie: string;

const start = () => startServer({ bundle: "ours", vars: { FRESH_SECONDS: "60" } }, built, { state, secret: SECRET });

beforeAll(async () => {
	built = await bundle("wrangler.toml", path.join(folder, "bundle"));
	const stores = await openStores("ours", state, built);
	await seedOurs(stores.d1, [SIZE]);
	cookie = await seedSession(stores.kv, SECRET);
	await stores.close();
	server = await start();
});
afterAll(async () => {
	agent.destroy();
	await server.dispose();
	rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

async function read() {
	const url = new URL(`/api/chats/${chatIdOf(SIZE)}/workflow-runs`, server.url);
	const { status, headers, body } = await ask(agent, url, { cookie });
	return { status, use: headers["cache-status"], body: body.toString() };
}

/** The one body that the edge cache keeps. */
function keptFile(): string {
	const blobs = path.join(state, "cache/named_edge-runs-history/blobs");
	return path.join(blobs, readdirSync(blobs)[0] as string);
}

it("a kept list that is cut short is never served as the whole", async () => {
	const first = await read();
	expect(first).toMatchObject({ status: 200, use: "edge-runs; fwd=miss; stored" });
	// It is kept behind the answer.
	await expect.poll(async () => (await read()).use).toBe("edge-runs; hit");
	expect(await read()).toEqual({ ...first, use: "edge-runs; hit" });

	truncateSync(keptFile(), statSync(keptFile()).size - 1000);
	// Found whole before: passed on unread, and the client sees the connection break off.
	await expect(read()).rejects.toThrow(/aborted|socket hang up|ECONNRESET/);

	// By an isolate that has not read it: read first, found cut, and replaced.
	await server.dispose();
	server = await start();
	expect(await read()).toEqual(first);
	await expect.poll(async () => (await read()).use).toBe("edge-runs; hit");
	expect(await read()).toEqual({ ...first, use: "edge-runs; hit" });
});
