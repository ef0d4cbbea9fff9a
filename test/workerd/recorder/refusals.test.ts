import { env, exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { RunReport } from "#recorder/index.ts";
import { list, overBinding, overHttp, registeredChat, type Stage, uuid } from "./stage.ts";

const workflowId = uuid();
const real: typeof fetch = (input, init) => exports.default.fetch(new Request(input, init));
const running = (id = uuid()): RunReport["run"] => ({ id, workflowId, status: "running" });

describe.each<[string, () => Stage]>([
	["HTTP", () => overHttp()],
	["a service binding", () => overBinding()],
])("what the service refuses over %s", (_, open) => {
	it("is dropped alone: a run that another chat has, among ninety-nine", async () => {
		const { recorder, errors } = open();
		const [chat, other] = [await registeredChat(), await registeredChat()];
		const taken = uuid();
		recorder.report({ chatId: other.chat, run: running(taken) });
		await recorder.flush();
		const good = Array.from({ length: 99 }, uuid);
		for (const id of [...good.slice(0, 40), taken, ...good.slice(40)])
			recorder.report({ chatId: chat.chat, run: running(id) });
		await recorder.flush();
		expect((await list(chat)).map(({ id }) => id).sort()).toEqual(good.sort());
		expect(errors).toMatchObject([{ kind: "refused", code: "RUN_CONFLICT", chatId: chat.chat, runIds: [taken] }]);
	});

	it("is all of a chat that is not registered, and no other chat's", async () => {
		const { recorder, errors } = open();
		const [chat, unknown] = [await registeredChat(), uuid()];
		const ids = [uuid(), uuid()];
		for (const id of ids) recorder.report({ chatId: unknown, run: running(id) });
		recorder.report({ chatId: chat.chat, run: running() });
		await recorder.flush();
		expect(await list(chat)).toHaveLength(1);
		expect(errors).toMatchObject([
			{ kind: "refused", code: "CHAT_NOT_FOUND", runIds: ids, message: expect.stringContaining("tell its userId") },
		]);
	});

	it("is all of a chat that was deleted, which a recorder does not bring back", async () => {
		const { recorder, errors } = open();
		const [chat, deleted] = [await registeredChat(), await registeredChat()];
		await deleted.remove();
		const id = uuid();
		recorder.report({ chatId: deleted.chat, userId: deleted.user, run: running(id) });
		recorder.report({ chatId: chat.chat, userId: chat.user, run: running() });
		await recorder.flush();
		expect(await list(chat)).toHaveLength(1);
		expect(errors).toMatchObject([{ kind: "refused", code: "CHAT_DELETED", chatId: deleted.chat, runIds: [id] }]);
		await expect(list(deleted)).rejects.toThrow("404");
	});

	it("is not a chat that it had registered, and that the service has lost: it registers it again", async () => {
		const { recorder, errors } = open();
		const chat = await registeredChat();
		const report = () => recorder.report({ chatId: chat.chat, userId: chat.user, run: running() });
		report();
		await recorder.flush();
		for (const table of ["workflow_runs where chat_id", "chats where id"]) {
			await env.DB.prepare(`delete from ${table} = ?`).bind(chat.chat).run();
		}
		report();
		report();
		await recorder.flush();
		expect(errors).toEqual([]);
		expect(await list(chat)).toHaveLength(2);
		// Deleted is not lost.
		await chat.remove();
		report();
		await recorder.flush();
		expect(errors).toMatchObject([{ kind: "refused", code: "CHAT_DELETED" }]);
	});

	it("is a chat that goes again as soon as it is registered: it does not try for ever", async () => {
		const { recorder, errors, requests } = overHttp((request) =>
			request.method === "PATCH" && requests.length > 2
				? Response.json({ code: "CHAT_NOT_FOUND", message: "" }, { status: 404 })
				: undefined,
		);
		const chat = await registeredChat();
		const report = () => recorder.report({ chatId: chat.chat, userId: chat.user, run: running() });
		report();
		await recorder.flush();
		report();
		await recorder.flush();
		expect(requests.map(({ method }) => method)).toEqual(["PUT", "PATCH", "PATCH", "PUT", "PATCH"]);
		expect(errors).toMatchObject([{ kind: "refused", code: "CHAT_NOT_FOUND" }]);
	});

	it("is a user's id that cannot be one", async () => {
		const { recorder, errors } = open();
		recorder.report({ chatId: uuid(), userId: "\u0000", run: running() });
		await recorder.flush();
		expect(errors).toMatchObject([{ kind: "refused", code: "INVALID_BODY" }]);
	});

	it("is nothing that can be mended on the way: odd ids, times, texts, numbers and outputs", async () => {
		const { recorder, errors } = open();
		const chat = await registeredChat();
		const circle: Record<string, unknown> = {};
		circle["self"] = circle;
		const odd = {
			id: `run ${uuid()}`,
			workflowId: "an engine's",
			status: "failed",
			startedAt: "2024-02-04T14:00:00+01:00",
			completedAt: "2024-02-04T12:00:00Z",
			error: { message: "x".repeat(10_000), stack: "at …" },
			attempt: 0,
			steps: [
				{ id: "x".repeat(300), status: "completed", completedAt: "yesterday", name: "n".repeat(300), position: -1 },
				{ id: "", status: "running" },
				{ id: "b", status: "done" },
				{ id: "c", status: "completed", output: circle },
				{ id: "d", status: "completed", output: "x".repeat(20_000) },
			],
		};
		recorder.report({ chatId: chat.chat, run: odd as unknown as RunReport["run"] });
		recorder.report({ chatId: chat.chat, run: running() });
		await recorder.flush();
		expect(errors).toMatchObject([{ kind: "invalid", message: expect.stringMatching(/steps\.1.*steps\.2/) }]);
		const [failed] = (await list(chat)).filter(({ status }) => status === "failed");
		expect(failed).toMatchObject({ startedAt: "2024-02-04T12:00:00.000Z", completedAt: "2024-02-04T12:00:00.000Z" });
		expect(failed?.error?.message).toHaveLength(4_000);
		expect(failed?.steps).toHaveLength(3);
	});

	it("never throws at a caller, whatever is reported", async () => {
		const { recorder, errors } = open();
		const rubbish: unknown[] = [
			undefined,
			null,
			{},
			{ chatId: 7, run: {} },
			{ chatId: "c" },
			{ chatId: "c", run: { id: 1 } },
		];
		for (const report of rubbish) recorder.report(report as RunReport);
		const run = recorder.run({} as never);
		expect(await run.step("still runs", () => 7)).toBe(7);
		run.end();
		await recorder.flush();
		expect(errors.map(({ kind }) => kind)).toEqual(Array(rubbish.length + 1).fill("invalid"));
	});
});

describe("over HTTP", () => {
	it.each(["first", "last"])(
		"a run whose steps are too large for one request is sent in several, if it comes %s",
		async (place) => {
			const { recorder, requests, errors } = overHttp();
			const chat = await registeredChat();
			const steps = Array.from({ length: 240 }, (_, index) => ({
				id: `step-${index}`,
				status: "failed" as const,
				completedAt: "2024-02-04T12:00:00.000Z",
				error: { message: "é".repeat(1_900) },
			}));
			const large = { ...running(), steps };
			const small = Array.from({ length: 150 }, () => running());
			for (const run of place === "first" ? [large, ...small] : [...small.slice(0, 50), large, ...small.slice(50)]) {
				recorder.report({ chatId: chat.chat, run });
			}
			await recorder.flush();
			expect(errors).toEqual([]);
			for (const request of requests) expect((await request.arrayBuffer()).byteLength).toBeLessThan(1_000_000);
			const runs = await list(chat);
			expect(runs).toHaveLength(151);
			expect(Math.max(...runs.map(({ steps }) => steps.length))).toBe(240);
		},
	);

	it("a step that is refused does not take the others of its run with it", async () => {
		const isBad = (text: string) => /"bad"/.test(text);
		const { recorder, errors } = overHttp(undefined, {
			fetch: async (input, init) => {
				// What a stricter service would say.
				if (!isBad(String(init?.body))) return real(input, init);
				const message = "workflowRuns.0.steps.3.id: is bad";
				return Response.json({ code: "INVALID_BODY", message }, { status: 400 });
			},
		});
		const chat = await registeredChat();
		const steps = ["a", "b", "bad", "c", "d"].map((id) => ({ id, status: "running" as const }));
		recorder.report({ chatId: chat.chat, run: { ...running(), steps } });
		await recorder.flush();
		expect((await list(chat))[0]?.steps.map(({ id }) => id)).toEqual(["a", "b", "c", "d"]);
		expect(errors).toMatchObject([{ kind: "warning", message: expect.stringContaining("step bad") }]);
	});

	it("a service of 0.1 is sent what it knows, which is learned once", async () => {
		const url = `http://${uuid()}.test`;
		let refusals = 0;
		const { recorder, errors } = overHttp(undefined, {
			url,
			fetch: async (input, init) => {
				const [field] = /workflowName|activity|externalId|metrics/.exec(String(init?.body)) ?? [];
				if (!field) return real(String(input).replace(url, "http://edge-runs.test"), init);
				refusals += 1;
				const message = `workflowRuns.0: Unrecognized key: "${field}"`;
				return Response.json({ code: "INVALID_BODY", message }, { status: 400 });
			},
		});
		const chat = await registeredChat();
		const run = recorder.run({ chatId: chat.chat, workflow: "Answer", externalId: "job-1" });
		run.activity("Reading");
		await recorder.flush();
		await run.step("fetch", (step) => step.activity("Fetching"));
		run.end();
		await recorder.flush();
		expect(refusals).toBe(1);
		expect(errors).toMatchObject([{ kind: "warning", message: expect.stringContaining("older version") }]);
		expect(await list(chat)).toMatchObject([
			{ status: "completed", steps: [{ id: "fetch", name: "fetch", status: "completed" }] },
		]);
	});
});
