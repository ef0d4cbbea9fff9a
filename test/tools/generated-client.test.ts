import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { USER } from "../../scripts/seed/rows.ts";
import { root } from "../node/dev-server.ts";
import { startService, TOKEN } from "../node/harness.ts";

const folder = path.join(root, "test/generated-client");
/** Runs a script in the folder, under the Node of the project's scripts. */
function run(script: string, ...args: string[]): string {
	const options = { cwd: folder, encoding: "utf8" } as const;
	const { status, stdout, stderr } = spawnSync(process.execPath, [path.join(folder, script), ...args], options);
	expect([status, status === 0 ? "" : stdout + stderr]).toEqual([0, ""]);
	return stdout;
}

describe("a client generated from the OpenAPI document", () => {
	let service: Awaited<ReturnType<typeof startService>>;
	beforeAll(async () => {
		service = await startService();
		mkdirSync(path.join(folder, "generated"), { recursive: true });
		const document = path.join(folder, "generated/openapi.json");
		writeFileSync(document, await (await fetch(`${service.url}/api/openapi.json`)).text());
		run("node_modules/openapi-typescript/bin/cli.js", document, "--output", path.join(folder, "generated/schema.d.ts"));
	});
	afterAll(async () => {
		await service.server.close();
		rmSync(path.join(folder, "generated"), { recursive: true, force: true });
	});

	it("compiles, records and reads", async () => {
		run("node_modules/typescript/bin/tsc", "-p", ".");
		const chatId = crypto.randomUUID();
		const [runId, workflowId] = [crypto.randomUUID(), crypto.randomUUID()];
		const cookie = await service.signIn();
		const registered = await fetch(`${service.url}/api/chats/${chatId}`, {
			method: "PUT",
			headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
			body: JSON.stringify({ userId: USER }),
		});
		expect(registered.status).toBe(201);
		const output = run("use.ts", service.url, TOKEN, cookie, chatId, runId, workflowId);
		expect(JSON.parse(output)).toEqual({ created: 201, status: "running", ids: [runId], refused: "CHAT_NOT_FOUND" });
	});
});
