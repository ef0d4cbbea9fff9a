import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startService } from "./harness.ts";

const ENGINE = "test/fixtures/engine/wrangler.toml";
/** The last day on which errors lost their properties on the way, unless a flag said otherwise. */
const OLD = "2026-04-20";

/** What came of a call. */
type Outcome = { result: unknown } | { error: { message: string; code?: unknown } };

let service: Awaited<ReturnType<typeof startService>>;
beforeAll(async () => {
	const services = [{ binding: "RUNS", service: "edge-runs", entrypoint: "WorkflowRunRecorder" }];
	const old = { name: "old-engine", main: "test/fixtures/engine/index.ts", compatibility_date: OLD, services };
	service = await startService({ configPath: ENGINE }, { config: old });
});
afterAll(() => service.server.close());

/** Has the engine, which is another Worker, call a method of its service binding. */
async function callBy(engine: string, method: string, ...args: unknown[]): Promise<Outcome> {
	const init = { method: "POST", body: JSON.stringify({ method, args }) };
	return (await service.server.getWorker(engine).fetch("http://engine.test/", init)).json() as Promise<Outcome>;
}
const call = (method: string, ...args: unknown[]) => callBy("engine", method, ...args);

async function registeredChat(): Promise<string> {
	const chat = randomUUID();
	await call("registerChat", chat, { userId: "demo-user" });
	return chat;
}

const stored = async (chat: string) => {
	const { results } = await service.DB.prepare(`select * from workflow_runs where chat_id = '${chat}'`).all();
	return results;
};

const workflowId = "c2d29867-3d0b-4497-9191-18a9d8ee7830";
const start = "2024-02-04T12:00:00.000Z";
const end = "2024-02-04T12:01:30.000Z";

describe("over a service binding an engine", () => {
	it("registers a chat, and deletes it", async () => {
		const chat = randomUUID();
		const bookmark = expect.stringMatching(/^[0-9a-f]{8}-/);
		const register = () => call("registerChat", chat.toUpperCase(), { userId: "demo-user" });
		expect(await register()).toEqual({ result: { created: true, bookmark } });
		expect(await register()).toEqual({ result: { created: false, bookmark } });
		expect(await call("deleteChat", chat)).toEqual({ result: { bookmark } });
		expect(await call("recordWorkflowRun", chat, randomUUID(), { workflowId, status: "pending" })).toMatchObject({
			error: { code: "CHAT_NOT_FOUND" },
		});
		expect(await register()).toMatchObject({ error: { code: "CHAT_DELETED" } });
		const restore = { userId: "demo-user", restore: true };
		expect(await call("registerChat", chat, restore)).toEqual({ result: { created: false, bookmark } });
	});

	it("reports a run, late and twice, and gets it as it is stored", async () => {
		const [chat, run] = [await registeredChat(), randomUUID()];
		const record = (report: unknown) => call("recordWorkflowRun", chat, run, report);
		const completed = {
			id: run,
			chatId: chat,
			workflowId,
			status: "completed",
			startedAt: start,
			completedAt: end,
			steps: [],
		};
		expect(await record({ workflowId, status: "completed", completedAt: end })).toMatchObject({
			result: { created: true },
		});
		for (const again of [{ workflowId, status: "running", startedAt: start }, completed]) {
			expect(await record(again)).toEqual({
				result: { created: false, workflowRun: completed, warnings: [], bookmark: expect.any(String) },
			});
		}
		expect(await stored(chat)).toHaveLength(1);
	});

	it("takes every field, and says what was left out", async () => {
		const [chat, id] = [await registeredChat(), randomUUID()];
		const details = {
			output: { answer: [42, null] },
			attempt: 2,
			activity: { at: "2024-02-04T12:00:00.000Z", message: "Waits", waiting: true, progress: 0.5 },
			metrics: { tokens: 12 },
		};
		const names = { workflowName: "Research", externalId: "wrun_1", messageId: "msg_1", parentRunId: randomUUID() };
		const step = { id: "a", status: "running", startedAt: null, completedAt: null, ...details, parentId: "b" };
		const run = { workflowId, status: "running", startedAt: null, completedAt: null, ...details, ...names };
		expect(await call("recordWorkflowRun", chat, id, { ...run, steps: [{ ...step, colour: 1 }] })).toMatchObject({
			result: { workflowRun: { ...run, steps: [step] }, warnings: ["steps.0.colour: unknown field, left out"] },
		});
		const two = [{ id, ...run, output: { rows: "o".repeat(20_000) } }];
		expect(await call("recordWorkflowRuns", chat, { workflowRuns: two })).toMatchObject({
			result: { warnings: ["workflowRuns.0.output: 20011 bytes, and 16384 is the most, left out"] },
		});
	});

	it("reports several, all or none", async () => {
		const chat = await registeredChat();
		const [one, two] = [randomUUID(), randomUUID()].map((id) => ({ id, workflowId, status: "running" }));
		expect(await call("recordWorkflowRuns", chat, { workflowRuns: [one, two, one] })).toMatchObject({
			result: { created: [one?.id, two?.id], workflowRuns: [{ id: one?.id }, { id: two?.id }] },
		});
		const bad = { id: randomUUID(), workflowId, status: "done" };
		const three = { workflowRuns: [{ ...one, id: randomUUID() }, bad, two] };
		expect(await call("recordWorkflowRuns", chat, three)).toMatchObject({ error: { code: "INVALID_BODY" } });
		expect(await stored(chat)).toHaveLength(2);
	});
});

describe("an error keeps its code on the way:", () => {
	const run = randomUUID();
	const valid = { workflowId, status: "pending" };

	it.each<[string, string, unknown[], string]>([
		["INVALID_CHAT_ID", "registerChat", ["x", { userId: "demo-user" }], "Invalid chat ID format"],
		["INVALID_CHAT_ID", "deleteChat", [undefined], "Invalid chat ID format"],
		[
			"INVALID_CHAT_ID",
			"recordWorkflowRuns",
			[{}, { workflowRuns: [{ id: run, ...valid }] }],
			"Invalid chat ID format",
		],
		["INVALID_RUN_ID", "recordWorkflowRun", [randomUUID(), 7, valid], "Invalid workflow run ID format"],
		["INVALID_BODY", "registerChat", [randomUUID(), { userId: "" }], "userId: must be 1 to 255 characters"],
		["INVALID_BODY", "registerChat", [randomUUID()], "expected object"],
		[
			"INVALID_BODY",
			"recordWorkflowRun",
			[randomUUID(), run, { ...valid, status: "completed" }],
			"completedAt: is required",
		],
		[
			"INVALID_BODY",
			"recordWorkflowRun",
			[randomUUID(), run, { ...valid, id: randomUUID() }],
			"id: is not the one in the path",
		],
		["INVALID_BODY", "recordWorkflowRuns", [randomUUID(), { workflowRuns: [] }], "workflowRuns: "],
		["CHAT_NOT_FOUND", "recordWorkflowRun", [randomUUID(), run, valid], "Chat does not exist"],
		["CHAT_NOT_FOUND", "deleteChat", [randomUUID()], "Chat does not exist"],
	])("%s by %s", async (code, method, args, message) => {
		for (const engine of ["engine", "old-engine"]) {
			const outcome = await callBy(engine, method, ...args);
			expect(outcome).toEqual({
				error: {
					message: expect.stringMatching(new RegExp(`^${code}: .*${message}.* \\(request [0-9a-f-]{36}\\)$`)),
					...(engine === "engine" && { code }),
				},
			});
		}
	});

	it("conflicts", async () => {
		const [chat, other] = [await registeredChat(), await registeredChat()];
		await call("recordWorkflowRun", chat, run, valid);
		const conflicts = [
			await call("registerChat", chat, { userId: "another-user" }),
			await call("recordWorkflowRun", other, run, valid),
			await call("recordWorkflowRun", chat, run, { ...valid, workflowId: randomUUID() }),
		];
		expect(conflicts).toMatchObject(
			["CHAT_CONFLICT", "RUN_CONFLICT", "RUN_CONFLICT"].map((code) => ({ error: { code } })),
		);
	});
});

describe("nothing else of the entrypoint can be called:", () => {
	it.each(["#run", "run", "parse", "parseChatId", "env", "ctx"])("%s", async (method) => {
		expect(await call(method, randomUUID())).toEqual({
			error: { message: expect.stringMatching(/does not implement the method/), code: undefined },
		});
	});
});
