import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root, temporaryFolder } from "./dev-server.ts";
import { startService, TOKEN } from "./harness.ts";

/*
 * The recorder in a Node process that ends.
 */

const { folder, remove } = temporaryFolder();
let service: Awaited<ReturnType<typeof startService>>;

beforeAll(async () => {
	await build({
		entryPoints: [path.join(root, "packages/edge-runs/src/recorder/index.ts")],
		outfile: path.join(folder, "recorder.js"),
		bundle: true,
		format: "esm",
		target: "es2022",
	});
	writeFileSync(path.join(folder, "package.json"), '{"type":"module"}');
	service = await startService();
});
afterAll(async () => {
	await service.server.close();
	remove();
});

/** Runs a program that has `createRecorder`, and resolves with what it printed when it has ended. */
async function runProgram(program: string): Promise<{ code: number | null; output: string }> {
	const file = path.join(folder, `${crypto.randomUUID()}.js`);
	writeFileSync(file, `import { createRecorder } from "./recorder.js";\n${program}`);
	const child = spawn(process.execPath, [file]);
	let output = "";
	for (const stream of [child.stdout, child.stderr]) {
		stream.on("data", (chunk) => {
			output += chunk;
		});
	}
	const [code] = await once(child, "close");
	return { code: code as number | null, output };
}

const stored = async (chatName: string) => {
	const { results } = await service.DB.prepare(
		`select status, steps from workflow_runs where chat_id = (select id from chats where user_id = '${chatName}')`,
	).all<{ status: string; steps: string }>();
	return results.map(({ status, steps }) => ({ status, steps: (JSON.parse(steps) as unknown[]).length }));
};

/** `exitSeconds`: long enough for a busy machine, where all is to be sent. */
const open = (url: string, exitSeconds = 60) =>
	`createRecorder({ url: "${url}", token: "${TOKEN}", flushAtExitSeconds: ${exitSeconds}, onError: (e) => console.log(e.kind) })`;

describe("a process that ends by itself", () => {
	it("has sent all that it reported, though nothing waits for it, and no run keeps it alive", async () => {
		const user = `user ${crypto.randomUUID()}`;
		const ended = await runProgram(`
			const recorder = ${open(service.url)};
			const active = recorder.run({ chatId: "${user}", userId: "${user}", workflow: "Active" });
			active.activity("Working");
			for (let i = 0; i < 150; i++) {
				const run = recorder.run({ chatId: "${user}", userId: "${user}", workflow: "Short" });
				void run.step("one", () => {}).then(() => run.end());
			}`);
		expect(ended).toEqual({ code: 0, output: "" });
		const runs = await stored(user);
		expect(runs).toHaveLength(151);
		expect(runs.filter(({ status }) => status === "running")).toHaveLength(1);
		expect(runs.filter(({ status, steps }) => status === "completed" && steps === 1)).toHaveLength(150);
	});

	it("ends when the service is away: after the flush at its end, and with its own exit code", async () => {
		const server = createServer((_, response) => void response.writeHead(503).end());
		await once(server.listen(0, "127.0.0.1"), "listening");
		const { port } = server.address() as AddressInfo;
		const ended = await runProgram(`
			const recorder = ${open(`http://127.0.0.1:${port}`, 3)};
			recorder.run({ chatId: "c", workflow: "w" }).end();
			process.exitCode = 3;`);
		server.close();
		expect(ended).toEqual({ code: 3, output: expect.stringMatching(/^(unreachable\n)?unsent\n$/) });
	});

	it("ends when the service takes a request and never answers", async () => {
		const server = createServer(() => {});
		await once(server.listen(0, "127.0.0.1"), "listening");
		const { port } = server.address() as AddressInfo;
		const ended = await runProgram(`
			const recorder = ${open(`http://127.0.0.1:${port}`)};
			recorder.run({ chatId: "c", workflow: "w" }).end();
			await recorder.close({ timeoutMilliseconds: 100 });
			process.exit(0);`);
		server.closeAllConnections();
		server.close();
		expect(ended).toEqual({ code: 0, output: "unsent\n" });
	});

	it("is not ended by an onError that throws or rejects", async () => {
		const ended = await runProgram(`
			for (const onError of [() => { throw new Error("sync"); }, async () => { throw new Error("async"); }]) {
				createRecorder({ url: "", onError });
				createRecorder({ url: "${service.url}", token: "${TOKEN}", onError }).report({});
			}`);
		expect(ended).toEqual({ code: 0, output: "" });
	});

	it("many recorders in one process make no noise", async () => {
		const ended = await runProgram(`
			for (let i = 0; i < 20; i++) {
				const recorder = ${open(service.url)};
				recorder.run({ chatId: "thread " + i, userId: "demo-user", workflow: "w" }).end();
			}`);
		expect(ended).toEqual({ code: 0, output: "" });
	});
});
