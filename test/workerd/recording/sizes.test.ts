import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import type { Step, WorkflowRun } from "../../../src/workflow-runs/schemas.ts";
import { insertRuns, request, requestWith, runsPath, uuid } from "../helpers.ts";
import { watchBindings } from "../watch-bindings.ts";
import { patchRuns, putRun, readList, recording, registeredChat, report } from "./recorder.ts";

/** Steps that take about so many bytes. */
const stepsOf = (bytes: number): Step[] =>
	Array.from({ length: Math.max(1, Math.round(bytes / 10_000)) }, (_, i) => ({
		id: `step-${i}`,
		status: "completed",
		startedAt: null,
		completedAt: "2024-02-04T12:00:45.000Z",
		output: "o".repeat(Math.min(bytes, 10_000) - 110),
	}));

const endOf = (second: number) => ({
	startedAt: `2024-02-04T12:00:${String(second).padStart(2, "0")}.000Z`,
	completedAt: "2024-02-04T12:01:30.000Z",
});

/** A history of a million bytes at the most. */
const SMALL = { MAX_HISTORY_BYTES: "1000000" };
const put = (chat: string, id: string, body: unknown, vars: object = SMALL) =>
	requestWith(vars, `${runsPath(chat)}/${id}`, recording("PUT", body));

const codeOf = async (response: Response) => (await response.json<{ code?: string }>()).code;

/** What the chat's row says that its runs take, and what they take. */
async function bytesOf(chat: string): Promise<{ counted: number | null; added: number | null }> {
	const row = await env.DB.prepare(
		`select history_bytes as counted, (select sum(octet_length(steps) + octet_length(details)
			+ ifnull(octet_length(error), 0) + 300) from workflow_runs where chat_id = chats.id) as added
		from chats where id = ?`,
	)
		.bind(chat)
		.first<{ counted: number | null; added: number | null }>();
	if (!row) throw new Error("no chat");
	return row;
}

const idsIn = async (chat: string) => {
	const sql = "select id from workflow_runs where chat_id = ? order by start_order, id";
	return (await env.DB.prepare(sql).bind(chat).all<{ id: string }>()).results.map(({ id }) => id);
};

describe("a chat's history has a limit in bytes", () => {
	it("that is counted as its runs grow, shrink and come anew", async () => {
		const { chat } = await registeredChat();
		expect(await bytesOf(chat)).toEqual({ counted: 0, added: null });
		const [one, two] = [uuid(), uuid()];
		const reports: [string, Record<string, unknown>][] = [
			[one, { status: "running", completedAt: null, workflowName: "Résumé", steps: stepsOf(30_000) }],
			[two, { status: "pending", startedAt: null, completedAt: null }],
			[one, { attempt: 2, status: "failed", error: { message: "é" }, metrics: { tokens: 1 } }],
			[one, { attempt: 2, status: "completed", output: null }],
			// An output goes with a state that lost.
			[two, { status: "running", completedAt: null, output: "o".repeat(1_000) }],
			[two, { status: "completed" }],
		];
		for (const [id, change] of reports) {
			expect((await putRun(chat, id, report(change))).status).toBeLessThan(300);
			const { counted, added } = await bytesOf(chat);
			expect(counted).toBe(added);
		}
	});

	it("that is added up again after a write that counts nothing, such as 0.1's", async () => {
		const { chat } = await registeredChat();
		await putRun(chat, uuid(), report());
		await insertRuns(chat, [{ steps: JSON.stringify(stepsOf(20_000)) }]);
		await env.DB.prepare("update chats set revision = ? where id = ?").bind(uuid(), chat).run();
		await putRun(chat, uuid(), report());
		const { counted, added } = await bytesOf(chat);
		expect(counted).toBe(added);
		expect(counted).toBeGreaterThan(20_000);
	});

	it("beyond which a report is refused and nothing stored, while ends of known runs still come in", async () => {
		const owned = await registeredChat();
		const { chat } = owned;
		const running = uuid();
		await put(chat, running, report({ status: "running", completedAt: null, steps: stepsOf(100_000) }));
		for (let i = 0; i < 8; i++) expect((await put(chat, uuid(), report({ steps: stepsOf(100_000) }))).status).toBe(201);
		const before = await bytesOf(chat);
		expect(before.counted).toBe(before.added);

		for (const [id, sent] of [
			[uuid(), report({ steps: stepsOf(200_000) })],
			[running, report({ status: "running", completedAt: null, steps: stepsOf(300_000) })],
			[running, report({ steps: stepsOf(300_000) })],
		] as const) {
			const refused = await put(chat, id, sent);
			expect([refused.status, await codeOf(refused)]).toEqual([409, "HISTORY_FULL"]);
			expect(await bytesOf(chat)).toEqual(before);
		}
		// All of a report or nothing.
		const two = [report(), report({ steps: stepsOf(200_000) })].map((each) => ({ id: uuid(), ...each }));
		const list = recording("PATCH", { workflowRuns: two });
		expect((await requestWith(SMALL, runsPath(chat), list)).status).toBe(409);
		expect(await bytesOf(chat)).toEqual(before);

		const fills = await put(chat, uuid(), report({ steps: stepsOf(90_000) }));
		expect(fills.status).toBe(201);
		const smallest = uuid();
		const pending = report({ status: "pending", startedAt: null, completedAt: null });
		while ((await put(chat, uuid(), report({ output: "o".repeat(900) }))).status === 201);
		expect(await codeOf(await put(chat, smallest, { ...pending, output: "o".repeat(1_500) }))).toBe("HISTORY_FULL");
		const failed = { status: "failed", error: { message: "m".repeat(4_000) }, output: "o".repeat(16_000) };
		expect((await put(chat, running, report(failed))).status).toBe(200);
		const response = await put(chat, running, report(failed));
		const { workflowRuns } = await readList(owned, response);
		expect(workflowRuns.find(({ id }) => id === running)?.status).toBe("failed");
	});

	it("that holds for the hub too, and for a history that nobody has counted; others' chats take more", async () => {
		const { chat } = await registeredChat();
		const steps = JSON.stringify(stepsOf(980_000));
		await insertRuns(chat, Array(25).fill({ steps }));
		await env.DB.prepare("update chats set revision = ? where id = ?").bind(uuid(), chat).run();
		const refused = await putRun(chat, uuid(), report());
		expect([refused.status, await codeOf(refused)]).toEqual([409, "HISTORY_FULL"]);
		expect((await putRun((await registeredChat()).chat, uuid(), report())).status).toBe(201);
	});

	it("where the operator chose so, makes room: the oldest finished runs go, the running ones stay", async () => {
		const vars = { ...SMALL, HISTORY_FULL: "drop-oldest" };
		const owned = await registeredChat();
		const { chat } = owned;
		const ids: string[] = [];
		for (let second = 0; second < 9; second++) {
			const id = uuid();
			ids.push(id);
			const running = second === 1 && { status: "running", completedAt: null };
			const sent = { ...endOf(second), steps: stepsOf(100_000), ...running };
			expect((await put(chat, id, report(sent), vars)).status).toBe(201);
		}
		const last = uuid();
		const printed = vi.spyOn(console, "log");
		const response = await put(chat, last, report({ ...endOf(30), steps: stepsOf(120_000) }), vars);
		expect(response.status).toBe(201);
		const lines = printed.mock.calls.map(([line]) => JSON.parse(line));
		printed.mockRestore();
		expect(lines.filter(({ event }) => event === "history full")).toMatchObject([{ dropped: 2 }]);
		// A tenth stays free, so that not every write has to drop.
		expect(await idsIn(chat)).toEqual([ids[1], ...ids.slice(3), last]);
		const { counted, added } = await bytesOf(chat);
		expect(counted).toBe(added);
		expect(counted).toBeLessThan(900_000);
		const { workflowRuns } = await readList(owned, response);
		expect(workflowRuns.map(({ id }) => id)).toEqual([last, ...ids.slice(3).reverse(), ids[1]]);
	});

	it("and refuses, with nothing lost, where not enough may go", async () => {
		const vars = { ...SMALL, HISTORY_FULL: "drop-oldest" };
		const { chat } = await registeredChat();
		const running = () => report({ status: "running", completedAt: null, steps: stepsOf(400_000) });
		for (let i = 0; i < 2; i++) expect((await put(chat, uuid(), running(), vars)).status).toBe(201);
		// It would not be enough.
		expect((await put(chat, uuid(), report({ steps: stepsOf(100_000) }), vars)).status).toBe(201);
		const revision = () => env.DB.prepare("select revision from chats where id = ?").bind(chat).first("revision");
		const before = await revision();
		const refused = await put(chat, uuid(), running(), vars);
		expect([refused.status, await codeOf(refused)]).toEqual([409, "HISTORY_FULL"]);
		expect(await idsIn(chat)).toHaveLength(3);
		expect(await revision()).toBe(before);
	});
});

describe("what is large in D1", () => {
	const large = { steps: JSON.stringify(stepsOf(950_000)) };

	it("is not read for a report of many runs: it is refused, and says why", async () => {
		const { chat } = await registeredChat();
		const workflowId = uuid();
		const ids = await insertRuns(chat, Array(9).fill({ ...large, workflowId }));
		const { calls, ...bindings } = watchBindings();
		const list = recording("PATCH", { workflowRuns: ids.map((id) => ({ id, workflowId, status: "running" })) });
		const refused = await requestWith(bindings, runsPath(chat), list);
		expect([refused.status, await codeOf(refused)]).toEqual([413, "REPORT_TOO_LARGE"]);
		expect(calls.d1).toHaveLength(1);
		// Eight of them are read, and change nothing.
		const eight = ids.slice(0, 8).map((id) => ({ id, workflowId, status: "running" }));
		expect((await patchRuns(chat, eight)).status).toBe(200);
	});

	it("is answered up to 4 MB: the last runs come without their steps, and are named", async () => {
		const { chat } = await registeredChat();
		const workflowId = uuid();
		const ids = await insertRuns(chat, Array(6).fill({ ...large, workflowId, details: '{"workflowName":"Research"}' }));
		const workflowRuns = ids.map((id) => ({ id, workflowId, status: "running" }));
		const response = await patchRuns(chat, workflowRuns);
		const text = await response.text();
		expect(text.length).toBeLessThan(4_000_000);
		const { data } = JSON.parse(text) as { data: { workflowRuns: WorkflowRun[]; truncated: string[] } };
		expect(data.truncated).toEqual(ids.slice(4));
		expect(data.workflowRuns.map(({ id, steps }) => [id, steps.length])).toEqual(
			ids.map((id, i) => [id, i < 4 ? 95 : 0]),
		);
		// It can be sent back in parts, and changes nothing.
		const before = await env.DB.prepare("select revision from chats where id = ?").bind(chat).first("revision");
		const sent = recording("PATCH", { data: { ...data, workflowRuns: data.workflowRuns.slice(4) } });
		expect((await request(runsPath(chat), sent)).status).toBe(200);
		expect(await env.DB.prepare("select revision from chats where id = ?").bind(chat).first("revision")).toBe(before);
	});

	it("comes in pages of up to 4 MB, each of which says where to go on", async () => {
		const owned = await registeredChat();
		const ids = await insertRuns(
			owned.chat,
			Array.from({ length: 10 }, (_, i) => ({ ...large, ...endOf(10 - i) })),
		);
		const get = async (query: string) => {
			const response = await request(`${runsPath(owned.chat)}${query}`, { headers: { cookie: owned.cookie } });
			const text = await response.text();
			return { bytes: text.length, ...(JSON.parse(text).data as { workflowRuns: WorkflowRun[]; nextCursor?: string }) };
		};
		for (const [query, sizes] of [
			["?limit=100", [4, 4, 2]],
			["?limit=2", [2, 2, 2, 2, 2]],
			["?status=completed,failed", [4, 4, 2]],
			["?status=completed&limit=5", [4, 4, 2]],
		] as const) {
			const seen: string[] = [];
			let cursor = "";
			for (const size of sizes) {
				const page = await get(query + cursor);
				expect(page.bytes).toBeLessThan(4_000_000);
				expect(page.workflowRuns).toHaveLength(size);
				seen.push(...page.workflowRuns.map(({ id }) => id));
				cursor = `&cursor=${page.nextCursor}`;
				if (seen.length === ids.length) expect(page.nextCursor).toBeNull();
			}
			expect(seen).toEqual(ids);
		}
		expect((await get("?status=failed")).nextCursor).toBeUndefined();
		// The contract's list has no pages.
		const all = await get("");
		expect(all.workflowRuns.map(({ id }) => id)).toEqual(ids);
		expect(all).not.toHaveProperty("nextCursor");
	});
});
