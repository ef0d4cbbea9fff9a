import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, expect, it } from "vitest";
import { readBundle } from "../../lab/bundle.ts";
import { BUNDLES } from "../../lab/bundles.ts";
import { startServer } from "../../lab/server.ts";
import { temporaryFolder } from "../node/dev-server.ts";

const { folder, remove } = temporaryFolder();
afterAll(remove);

it("a server starts though its stores are locked for a moment longer", async () => {
	const start = () =>
		startServer({ bundle: "version 1" }, readBundle(BUNDLES["version 1"].entry), { state: folder, secret: "" });
	await (await start()).dispose();
	const lock = new DatabaseSync(path.join(folder, "kv/miniflare-KVNamespaceObject/metadata.sqlite"));
	lock.exec("pragma locking_mode = exclusive; begin exclusive");
	setTimeout(() => lock.close(), 500);
	const server = await start();
	expect((await fetch(new URL("/api/health", server.url))).status).toBe(503);
	await server.dispose();
});
