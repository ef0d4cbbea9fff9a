import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { insertChat, insertRuns, requestWith, runsPath, type StoredRun, signIn, uuid } from "./helpers.ts";
import { putRun } from "./recording/recorder.ts";
import { type Query, watchBindings } from "./watch-bindings.ts";

/** The steps of SQLite's plan for a query, as the service ran it. */
async function explain({ sql, params }: Query): Promise<string[]> {
	const { results } = await env.DB.prepare(`explain query plan ${sql}`)
		.bind(...params)
		.all<{ detail: string }>();
	return results.map((step) => step.detail);
}

describe("a read's queries", () => {
	it.each([
		["the list", ""],
		["one run", `/${uuid()}`],
		["a page", "?limit=2"],
		["the page behind a cursor", `?limit=2&cursor=${btoa(`2024-02-04T12:00:00.000Z ${uuid()}`).replaceAll("=", "")}`],
		["runs of a status", "?status=failed,running"],
	])("need no scan and no sort: %s", async (_, path) => {
		const user = uuid();
		const { cookie } = await signIn(user);
		const chat = await insertChat(user);
		await insertRuns(chat, [{}, {}, {}]);
		const { calls, ...bindings } = watchBindings();
		const response = await requestWith(bindings, `${runsPath(chat)}${path}`, { headers: { cookie } });
		expect([200, 404]).toContain(response.status);

		const queries = calls.d1.flat();
		expect(queries.length).toBeGreaterThan(0);
		const plan = (await Promise.all(queries.map(explain))).flat();
		expect(plan.join("\n")).toMatch(/SEARCH workflow_runs USING INDEX/);
		for (const step of plan)
			expect(step).not.toMatch(/^SCAN (?!CONSTANT ROW|json_each|sizes|\(subquery-\d+\))|TEMP B-TREE/);
	});

	it("read the chat's own rows, whatever else the database holds", async () => {
		const user = uuid();
		const { cookie } = await signIn(user);
		const chat = await insertChat(user);
		await insertRuns(chat, Array(10).fill({}));
		await insertRuns(await insertChat(user), Array(200).fill({}));
		const { calls, ...bindings } = watchBindings();
		await requestWith(bindings, runsPath(chat), { headers: { cookie } });

		const results = await env.DB.batch(calls.d1.flat().map(({ sql, params }) => env.DB.prepare(sql).bind(...params)));
		const read = results.reduce((rows, { meta }) => rows + meta.rows_read, 0);
		expect(read).toBeGreaterThanOrEqual(11);
		// The chat, its runs, and at most one look-up in the index for each of them.
		expect(read).toBeLessThanOrEqual(2 + 2 * 10);
	});
});

describe("the tables refuse", () => {
	const pending = { status: "pending", startedAt: null, completedAt: null };
	const started = "2024-02-04T12:00:00.000Z";

	it.each<[string, StoredRun, string]>([
		["an unknown status", { status: "done" }, "workflow_runs_status_is_known"],
		["an upper-case id", { id: uuid().toUpperCase() }, "workflow_runs_id_is_uuid"],
		["an id that is no UUID", { id: "run-uuid-1" }, "workflow_runs_id_is_uuid"],
		["a quote in an id", { id: `${"a".repeat(35)}"` }, "workflow_runs_id_is_uuid"],
		["a workflow id that is no UUID", { workflowId: "workflow-1" }, "workflow_runs_workflow_id_is_uuid"],
		["a start without milliseconds", { startedAt: "2024-02-04T12:00:00Z" }, "workflow_runs_started_at_is_timestamp"],
		["a start in another zone", { startedAt: "2024-02-04T12:00:00.000+" }, "workflow_runs_started_at_is_timestamp"],
		["an end that is no timestamp", { completedAt: "9" }, "workflow_runs_completed_at_is_timestamp"],
		["an end of a pending run", { ...pending, completedAt: started }, "workflow_runs_completed_when_finished"],
		["an end of a running run", { status: "running" }, "workflow_runs_completed_when_finished"],
		["a finished run without an end", { completedAt: null }, "workflow_runs_completed_when_finished"],
		["an end before the start", { completedAt: "2024-02-04T11:59:59.999Z" }, "workflow_runs_completed_after_start"],
		["an error that is no JSON", { error: "it broke" }, "workflow_runs_error_is_json"],
		["steps that are no JSON", { steps: "[" }, "workflow_runs_steps_is_json_array"],
		["steps that are an object", { steps: "{}" }, "workflow_runs_steps_is_json_array"],
		["steps that are null", { steps: "null" }, "workflow_runs_steps_is_json_array"],
	])("%s", async (_, run, constraint) => {
		const chat = await insertChat(uuid());
		await expect(insertRuns(chat, [run])).rejects.toThrow(`CHECK constraint failed: ${constraint}`);
		// The same without what is wrong with it goes in.
		await insertRuns(chat, [{}]);
	});

	it("a run of no chat, and a chat's removal from under its runs", async () => {
		await expect(insertRuns(uuid(), [{}])).rejects.toThrow("FOREIGN KEY constraint failed");
		const chat = await insertChat(uuid());
		await insertRuns(chat, [{}]);
		await expect(env.DB.prepare("delete from chats where id = ?").bind(chat).run()).rejects.toThrow("FOREIGN KEY");
	});

	it("an id a second time", async () => {
		const chat = await insertChat(uuid());
		const [id] = (await insertRuns(chat, [{}])) as [string];
		await expect(insertRuns(await insertChat(uuid()), [{ id }])).rejects.toThrow("UNIQUE constraint failed");
		await expect(insertChat(uuid(), { id: chat })).rejects.toThrow("UNIQUE constraint failed");
	});

	it("a chat whose id or deletion is malformed", async () => {
		await expect(insertChat(uuid(), { id: "chat-1" })).rejects.toThrow("chats_id_is_uuid");
		await expect(insertChat(uuid(), { deletedAt: "yesterday" })).rejects.toThrow("chats_deleted_at_is_timestamp");
	});
});

describe("a run's details are spliced into its JSON with care, as no CHECK keeps the column in order:", () => {
	it.each([
		[
			'{"workflowName":"Say \\"hi\\" \\ud83d\\ude80","attempt":2}',
			{ workflowName: 'Say "hi" \ud83d\ude80', attempt: 2 },
		],
		["{}", {}],
		["{ }", {}],
		["", {}],
		["null", {}],
		["[1]", {}],
		['{"workflowName":', {}],
		[' {"workflowName":"Research"}', {}],
		['{"workflowName":"Research"} ', {}],
	])("%s", async (details, expected) => {
		const user = uuid();
		const { cookie } = await signIn(user);
		const chat = await insertChat(user);
		const [id] = (await insertRuns(chat, [{}])) as [string];
		await env.DB.prepare("update workflow_runs set details = ? where id = ?").bind(details, id).run();
		const response = await requestWith({}, runsPath(chat), { headers: { cookie } });
		const { data } = await response.json<{ data: { workflowRuns: object[] } }>();
		const fields = { id, chatId: chat, status: "completed", workflowId: expect.any(String), steps: [] };
		const times = { startedAt: "2024-02-04T12:00:00.000Z", completedAt: "2024-02-04T12:01:30.000Z" };
		expect(data.workflowRuns).toEqual([{ ...fields, ...times, ...expected }]);
		// And a writer reads it no worse.
		const put = await putRun(chat, id, {
			workflowId: (data.workflowRuns[0] as { workflowId: string }).workflowId,
			status: "running",
		});
		expect((await put.json<{ data: { workflowRun: object } }>()).data.workflowRun).toMatchObject(expected);
	});
});

it("a run of five steps takes about 1.45 KB with its indexes, as docs/operating.md counts", async () => {
	const step = {
		status: "completed",
		startedAt: "2024-02-04T12:00:00.000Z",
		completedAt: "2024-02-04T12:00:45.000Z",
		name: "Fetch sources",
	};
	const steps = JSON.stringify([0, 1, 2, 3, 4].map((position) => ({ id: `step-${position}`, ...step, position })));
	const size = async () => (await env.DB.prepare("select 1").run()).meta.size_after;
	const before = await size();
	for (let chats = 0; chats < 20; chats++) await insertRuns(await insertChat(uuid()), Array(50).fill({ steps }));
	const bytes = ((await size()) - before) / 1_000;
	expect(bytes).toBeGreaterThan(1_300);
	expect(bytes).toBeLessThan(1_600);
});
