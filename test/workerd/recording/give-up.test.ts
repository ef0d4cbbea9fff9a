import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Env } from "../../../src/env.ts";
import { readChatRuns } from "../../../src/workflow-runs/read.ts";
import { readChanges } from "../../../src/workflow-runs/read-changes.ts";
import type { WorkflowRun } from "../../../src/workflow-runs/schemas.ts";
import { insertRuns, requestWith, runsPath, uuid } from "../helpers.ts";
import { recordAs01 } from "../live/version-01.ts";
import { type Query, watchBindings } from "../watch-bindings.ts";
import { patchRuns, putRun, readList, recording, registeredChat, report, revisionOf, runCron } from "./recorder.ts";

const HOUR = 3_600_000;
const START = Date.parse("2024-02-04T12:00:00.000Z");
const now = Date.now.bind(Date);

/** How far time is ahead, in milliseconds. */
let passed = 0;
beforeEach(async () => {
	passed = 0;
	vi.spyOn(Date, "now").mockImplementation(() => now() + passed);
	vi.spyOn(console, "log").mockImplementation(() => {});
	await env.DB.prepare("delete from workflow_runs").run();
});
afterEach(() => vi.restoreAllMocks());

const onCron = (changed: Partial<Env> = { GIVE_UP_HOURS: "24" }) => runCron(changed, new Date(Date.now()));

const at = (second: number) => new Date(START + second * 1_000).toISOString();
const running = (more: Record<string, unknown> = {}) =>
	report({ status: "running", startedAt: at(0), completedAt: null, ...more });
const step = (id: string, second: number) => ({ id, status: "running", startedAt: at(second), completedAt: null });

const statement = ({ sql, params }: Query) => env.DB.prepare(sql).bind(...params);

/** A chat's runs as they are served. */
async function served(chat: string): Promise<WorkflowRun[]> {
	const found = await readChatRuns(env.DB.withSession(), chat);
	return (found?.runs ?? []).map((run) => JSON.parse(run));
}
const one = async (chat: string) => (await served(chat))[0] as WorkflowRun;

/** A chat with a run that was reported so, and then given up. */
async function givenUp(...reports: Record<string, unknown>[]) {
	const { chat, ...owned } = await registeredChat();
	const run = uuid();
	for (const each of reports) await putRun(chat, run, each);
	passed += 25 * HOUR;
	await onCron();
	expect(await one(chat)).toMatchObject({ status: "failed", assumed: true });
	return { chat, run, ...owned };
}

describe("a run without news for GIVE_UP_HOURS", () => {
	it("has failed, with an end that is assumed: the last moment that it told of", async () => {
		const activity = { at: at(90), message: "Reads page 4" };
		const silent = running({ attempt: 2, activity, output: "half", workflowName: "Research", steps: [step("a", 30)] });
		const { chat, run } = await givenUp(silent);
		const text = (await readChatRuns(env.DB.withSession(), chat))?.runs[0];
		// In the order in which a run's fields are served.
		expect(text).toBe(
			JSON.stringify({
				...{ id: run, chatId: chat, workflowId: silent["workflowId"], status: "failed" },
				...{ startedAt: at(0), completedAt: at(90), error: { message: "No news for 24 h" } },
				...{ attempt: 2, workflowName: "Research", assumed: true, steps: [step("a", 30)] },
			}),
		);
	});

	it("is seen by who reads and who watches, and counted among its user's as failed", async () => {
		const { chat, user, cookie } = await registeredChat();
		const [silent, ended] = [uuid(), uuid()];
		const written = await putRun(chat, ended, report());
		const last = await putRun(chat, silent, running());
		const before = await readList({ chat, user, cookie }, last);
		const state = (await readChanges(env.DB.withSession(), chat, { change: 0, mark: "" }))?.state;
		passed = 25 * HOUR;
		await onCron();
		passed = 0;
		const after = await readList({ chat, user, cookie }, await putRun(chat, ended, report()));
		expect(after.etag).not.toBe(before.etag);
		expect(after.workflowRuns.map(({ status }) => status).sort()).toEqual(["completed", "failed"]);
		const changes = await readChanges(env.DB.withSession(), chat, state ?? { change: 0, mark: "" });
		expect(changes?.runs?.map((run) => JSON.parse(run).id)).toEqual([silent]);
		expect(written.status).toBe(201);
		const { results } = await env.DB.prepare("select status, run_id from user_runs where user_id = ?").bind(user).all();
		expect(results).toContainEqual({ status: "failed", run_id: silent });
		expect(results).toHaveLength(2);
	});

	it("ended when the service last heard of it, where it told no moment, and never before its start", async () => {
		const { chat } = await registeredChat();
		const before = new Date(now()).toISOString();
		await putRun(chat, uuid(), report({ status: "pending", startedAt: null, completedAt: null }));
		const after = new Date(now()).toISOString();
		const ahead = new Date(now() + 10 * HOUR).toISOString();
		await putRun(chat, uuid(), running({ startedAt: ahead }));
		passed = 40 * HOUR;
		await onCron();
		const ends = (await served(chat)).map(({ startedAt, completedAt }) => [startedAt, completedAt]);
		expect(ends).toEqual([
			[null, expect.toSatisfy((end: string) => before <= end && end <= after)],
			[ahead, ahead],
		]);
	});

	it("is not given up before, nor where GIVE_UP_HOURS is not set, nor once it has ended", async () => {
		const { chat } = await registeredChat();
		await putRun(chat, uuid(), running());
		await putRun(chat, uuid(), report({ startedAt: null }));
		const before = await served(chat);
		passed = 24 * HOUR;
		await onCron();
		passed = 1_000 * HOUR;
		await onCron({});
		expect(await served(chat)).toEqual(before);
	});

	it("is not given up for what its clock says, but for what the service hears, be it nothing new", async () => {
		const { chat } = await registeredChat();
		const [behind, ahead] = [uuid(), uuid()];
		const activity = { at: new Date(now() + 23 * HOUR).toISOString(), message: "" };
		const clocks = () =>
			patchRuns(chat, [
				{ id: behind, ...running({ startedAt: "2004-01-01T00:00:00.000Z" }) },
				{ id: ahead, ...running({ activity }) },
			]);
		await clocks();
		const before = await served(chat);
		for (let day = 0; day < 3; day++) {
			passed += 23 * HOUR;
			const revision = await revisionOf(chat);
			await clocks();
			expect(await revisionOf(chat)).toBe(revision);
			passed += 2 * HOUR;
			await onCron();
			expect(await served(chat)).toEqual(before);
		}
		passed += 23 * HOUR;
		await onCron();
		expect((await served(chat)).map(({ assumed }) => assumed)).toEqual([true, true]);
	});

	it("is heard of at no cost but for a write now and then", async () => {
		const { chat } = await registeredChat();
		const run = uuid();
		await putRun(chat, run, running());
		const writes = async () => {
			const { calls, ...bindings } = watchBindings();
			await requestWith(bindings, `${runsPath(chat)}/${run}`, recording("PUT", running()));
			return calls.d1.flat().filter(({ sql }) => /^update/i.test(sql)).length;
		};
		expect(await writes()).toBe(0);
		passed = 0.3 * HOUR;
		expect([await writes(), await writes()]).toEqual([1, 0]);
	});

	it("is listened to for as long as any, where a version began it that does not say when it heard of it", async () => {
		const { chat } = await registeredChat();
		await insertRuns(chat, [{ status: "running", completedAt: null }]);
		const statuses: string[] = [];
		for (const hours of [0, 24, 1]) {
			passed += hours * HOUR;
			await onCron({ GIVE_UP_HOURS: "24", RETENTION_DAYS: "30" });
			statuses.push((await one(chat)).status);
		}
		expect(statuses).toEqual(["running", "running", "failed"]);
	});

	it("is not given up where a report comes in between", async () => {
		const { chat } = await registeredChat();
		const [silent, heard] = [uuid(), uuid()];
		await patchRuns(
			chat,
			[silent, heard].map((id) => ({ id, ...running() })),
		);
		passed = 25 * HOUR;
		const isGivingUp = (queries: Query[]) => queries.some(({ sql }) => /"given_up" = json_object/.test(sql));
		const { DB } = watchBindings({
			onD1: async (queries) => {
				if (isGivingUp(queries)) await putRun(chat, heard, running({ steps: [step("a", 30)] }));
			},
		});
		await onCron({ DB, GIVE_UP_HOURS: "24" });
		const statuses = Object.fromEntries((await served(chat)).map(({ id, status }) => [id, status]));
		expect(statuses).toEqual({ [silent]: "failed", [heard]: "running" });
	});

	it("costs what is due, not what runs: in batches, by an index", async () => {
		const { chat } = await registeredChat();
		const insert = async (runs: number, heardAt: number) => {
			await insertRuns(chat, Array(runs).fill({ status: "running", completedAt: null }));
			const set = "update workflow_runs set heard_at = ? where heard_at is null";
			await env.DB.prepare(set).bind(new Date(heardAt).toISOString()).run();
		};
		await insert(500, now());
		const looks = async () => {
			const { calls, DB } = watchBindings();
			await onCron({ DB, GIVE_UP_HOURS: "24" });
			return calls.d1.flat().filter(({ sql }) => /^select .*"heard_at" </.test(sql));
		};
		const [look, ...others] = (await looks()) as [Query];
		const rowsRead = async () => (await statement(look).run()).meta.rows_read;
		expect([others, (await rowsRead()) <= 1]).toEqual([[], true]);
		await insert(250, now() - 25 * HOUR);
		// A batch's 100, each in the index and in its row.
		expect(await rowsRead()).toBeLessThanOrEqual(201);
		expect(await looks()).toHaveLength(3);
		const { results } = await env.DB.prepare(
			"select status, count(*) as runs from workflow_runs group by status",
		).all();
		expect(results).toEqual([
			{ status: "failed", runs: 250 },
			{ status: "running", runs: 500 },
		]);
	});
});

describe("a run that was given up", () => {
	it.each([
		["completed", at(10)],
		["failed", at(500)],
		["cancelled", at(10)],
	])("has %s where that is reported, whenever it ended", async (status, completedAt) => {
		const { chat, run } = await givenUp(running({ activity: { at: at(90), message: "" } }));
		const { data } = await (await putRun(chat, run, report({ status, completedAt }))).json<{ data: object }>();
		const expected = { status, completedAt, startedAt: at(0) };
		expect(data).toMatchObject({ workflowRun: expected });
		expect(await one(chat)).toEqual({ id: run, chatId: chat, ...report(expected) });
	});

	it.each<[string, Record<string, unknown>, Record<string, unknown>]>([
		["says that it is alive", running({ activity: { at: at(91), message: "Reads" } }), { status: "running" }],
		["says so by a clock that is behind", running({ metrics: { tokens: 1 } }), { status: "running" }],
		["gets on", running({ steps: [step("b", 100)] }), { status: "running" }],
		["starts at last", running({ startedAt: at(-10) }), { startedAt: at(-10) }],
		["is tried again", running({ attempt: 2 }), { attempt: 2 }],
	])("runs again where it %s", async (_, news, expected) => {
		const before = running({ activity: { at: at(90), message: "Asks" }, output: "half", steps: [step("a", 30)] });
		const { chat, run } = await givenUp(before);
		await putRun(chat, run, news);
		const after = await one(chat);
		expect(after).toMatchObject({ status: "running", completedAt: null, ...expected });
		expect(after).not.toHaveProperty("assumed");
		expect(after).not.toHaveProperty("error");
		expect(after.steps[0]).toEqual(step("a", 30));
		// And is given up again.
		passed += 25 * HOUR;
		await onCron();
		expect(await one(chat)).toMatchObject({ status: "failed", assumed: true });
	});

	it("waits on, where it was pending and its queue tells more of it", async () => {
		const pending = report({ status: "pending", startedAt: null, completedAt: null });
		const { chat, run } = await givenUp(pending);
		await putRun(chat, run, { ...pending, activity: { at: at(0), message: "Third in the queue" } });
		expect(await one(chat)).toMatchObject({ status: "pending", completedAt: null });
	});

	it("stays given up where nothing new is said of it, and the answer shows it so", async () => {
		const before = running({ activity: { at: at(90), message: "Asks" }, steps: [step("a", 30)] });
		const { chat, run } = await givenUp(before);
		const [text, revision] = [await served(chat), await revisionOf(chat)];
		for (const sent of [before, running({ activity: { at: at(80), message: "Older" } })]) {
			const response = await putRun(chat, run, sent);
			expect(await response.json()).toEqual({ data: { workflowRun: text[0] } });
			await requestWith({}, `${runsPath(chat)}/${run}`, recording("PUT", sent));
		}
		expect([await served(chat), await revisionOf(chat)]).toEqual([text, revision]);
	});

	it("is as it was where what a GET returned is sent back, and then waits for an end that is reported", async () => {
		const { chat, run } = await givenUp(running({ steps: [step("a", 30)] }));
		const before = await served(chat);
		await putRun(chat, run, before[0]);
		expect(await served(chat)).toEqual(before);
		await putRun(chat, run, running({ steps: [step("b", 100)] }));
		expect(await one(chat)).toMatchObject({ status: "failed", assumed: true });
		await putRun(chat, run, report());
		expect(await one(chat)).not.toHaveProperty("assumed");
	});

	it("is counted right in what the chat's history takes", async () => {
		const { chat, run } = await givenUp(running({ output: "o".repeat(1_000) }));
		const sizes = () =>
			env.DB.prepare(
				`select history_bytes as counted, (select sum(octet_length(steps) + octet_length(details)
					+ ifnull(octet_length(error), 0) + 300) from workflow_runs where chat_id = chats.id) as added
				from chats where id = ?`,
			)
				.bind(chat)
				.first<{ counted: number | null; added: number }>();
		expect((await sizes())?.counted).toBeNull();
		for (const id of [uuid(), run]) {
			await putRun(chat, id, running({ steps: [step("b", 100)] }));
			const { counted, added } = (await sizes()) ?? {};
			expect(counted).toBe(added);
		}
	});

	it("is what a version says that does not know of it", async () => {
		const { chat, run } = await givenUp(running());
		const { workflowId } = await one(chat);
		await recordAs01(chat, { id: run, status: "completed", completedAt: at(60) });
		await putRun(chat, run, running({ workflowId, steps: [step("a", 30)] }));
		expect(await one(chat)).toMatchObject({ status: "completed", completedAt: at(60), steps: [{ id: "a" }] });
	});
});

it("says in the log how many runs were given up", async () => {
	const { chat } = await registeredChat();
	await putRun(chat, uuid(), running());
	passed = 25 * HOUR;
	const lines = vi.spyOn(console, "log").mockImplementation(() => {});
	await onCron();
	expect(lines.mock.calls.map(([line]) => JSON.parse(line))).toContainEqual(
		expect.objectContaining({ level: "info", event: "give up", givenUp: 1, before: expect.any(String) }),
	);
});

it("fails, and says why in the log, with a GIVE_UP_HOURS that is no number of hours", async () => {
	await expect(onCron({ GIVE_UP_HOURS: "0" })).rejects.toThrow("GIVE_UP_HOURS is not a number from 1 to 8760");
});
