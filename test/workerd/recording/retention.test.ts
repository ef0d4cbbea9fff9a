import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Env } from "../../../src/env.ts";
import { scopeOf } from "../../../src/scope.ts";
import { pruneRuns } from "../../../src/workflow-runs/prune.ts";
import { insertChat, insertRuns, request, requestWith, runsPath, type StoredRun, uuid } from "../helpers.ts";
import { bindHub } from "../live/hub.ts";
import { patchRuns, putRun, recording, registeredChat, report, revisionOf, runCron } from "./recorder.ts";

const NOW = new Date("2024-06-30T03:17:00.000Z");

const onCron = (changed: Partial<Env>) => runCron(changed, NOW);

const ended = (completedAt: string): StoredRun => ({ startedAt: null, completedAt });
const running: StoredRun = { status: "running", startedAt: "2020-01-01T00:00:00.000Z", completedAt: null };

async function runsOf(chat: string): Promise<string[]> {
	const { results } = await env.DB.prepare("select id from workflow_runs where chat_id = ?")
		.bind(chat)
		.all<{ id: string }>();
	return results.map(({ id }) => id).sort();
}

it("deletes finished runs after RETENTION_DAYS, in batches, and changes their chats' revisions alone", async () => {
	const [old, young] = [await insertChat(uuid()), await insertChat(uuid())];
	const many = Array.from({ length: 250 }, () => ended("2024-05-30T00:00:00.000Z"));
	const ids = await insertRuns(old, [ended("2024-06-01T00:00:00.000Z"), running, ...many]);
	const kept = await insertRuns(young, [ended("2024-06-29T00:00:00.000Z")]);
	const before = [await revisionOf(old), await revisionOf(young)];

	await onCron({ RETENTION_DAYS: "30" });
	expect(await runsOf(old)).toEqual(ids.slice(0, 2).sort());
	expect(await runsOf(young)).toEqual(kept);
	expect(await revisionOf(old)).not.toBe(before[0]);
	expect(await revisionOf(young)).toBe(before[1]);

	await onCron({ RETENTION_DAYS: "28" });
	expect(await runsOf(old)).toEqual([ids[1]]);
});

it("says in the log whether it came to the end, whatever the giving up of runs has left for it", async () => {
	await insertRuns(await insertChat(uuid()), Array(250).fill(ended("2024-05-30T00:00:00.000Z")));
	const scope = scopeOf({ ...env, RETENTION_DAYS: "30" }, createExecutionContext());
	const printed = vi.spyOn(console, "log");
	for (const batches of [2, 2]) await pruneRuns(scope, NOW.getTime(), { batches, told: 0 });
	const lines = printed.mock.calls.map(([line]) => JSON.parse(line));
	printed.mockRestore();
	expect(lines.filter(({ event }) => event === "retention")).toMatchObject([
		{ deleted: 200, more: true },
		{ deleted: 50, more: false },
	]);
});

it("leaves what the chat's history takes to be added up by the next write", async () => {
	const { chat } = await registeredChat();
	await putRun(chat, uuid(), report({ output: "o".repeat(1_000) }));
	await onCron({ RETENTION_DAYS: "30" });
	await putRun(chat, uuid(), report({ status: "running", completedAt: null }));
	const row = await env.DB.prepare(
		`select history_bytes as counted, (select sum(octet_length(steps) + octet_length(details)
			+ ifnull(octet_length(error), 0) + 300) from workflow_runs where chat_id = chats.id) as added
		from chats where id = ?`,
	)
		.bind(chat)
		.first<{ counted: number; added: number }>();
	expect(row?.counted).toBe(row?.added);
	expect(row?.added).toBeLessThan(400);
});

it("keeps all where RETENTION_DAYS is not set", async () => {
	const chat = await insertChat(uuid());
	const ids = await insertRuns(chat, [ended("2001-01-01T00:00:00.000Z")]);
	await onCron({});
	expect(await runsOf(chat)).toEqual(ids);
	await env.DB.prepare("delete from workflow_runs where chat_id = ?").bind(chat).run();
});

it("finds what is due by an index, without a scan or a sort", async () => {
	const { results } = await env.DB.prepare(
		"explain query plan select id, chat_id from workflow_runs where completed_at < ? order by completed_at limit 100",
	)
		.bind("2024-01-01T00:00:00.000Z")
		.all<{ detail: string }>();
	expect(results.map(({ detail }) => detail)).toEqual([
		"SEARCH workflow_runs USING INDEX workflow_runs_completed (completed_at<?)",
	]);
});

it.each<unknown>(["-1", "30 days", true])(
	"fails, and says why in the log, with a RETENTION_DAYS of %s, as TOML may have it",
	async (days) => {
		const changed = { RETENTION_DAYS: days as string };
		await expect(onCron(changed)).rejects.toThrow("RETENTION_DAYS is not a number from 1 to 36500");
	},
);

describe("a run that retention deleted", () => {
	const DAY = 86_400_000;
	const day = (day: number) => new Date(Date.now() + day * DAY).toISOString();
	beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"], now: Date.now() }));
	afterEach(() => void vi.useRealTimers());
	const KEPT = { RETENTION_DAYS: "30" };
	const cron = (inDays: number) => runCron(KEPT, new Date(Date.now() + inDays * DAY));
	/** Reports to a service with retention, by the chat's hub or by the door alone. */
	async function put(chat: string, run: string, body: unknown, by: string) {
		if (by === "hub") await bindHub(chat, KEPT);
		const sent = [`${runsPath(chat)}/${run}`, recording("PUT", body)] as const;
		return by === "hub" ? request(...sent) : requestWith(KEPT, ...sent);
	}

	it.each(["hub", "door"])(
		"is not begun again by what is as old as it was, and the answer says so: by the %s",
		async (by) => {
			const { chat, cookie } = await registeredChat();
			const run = uuid();
			const old = { startedAt: day(-40), completedAt: null, status: "running" };
			const response = await put(chat, run, report(old), by);
			expect(response.status).toBe(200);
			expect(await response.json()).toEqual({
				data: {
					workflowRun: { id: run, chatId: chat, ...report(old) },
					warnings: [
						`Workflow run ${run}: not stored: what it tells is older than the service keeps runs (RETENTION_DAYS)`,
					],
				},
			});
			expect((await request(`${runsPath(chat)}/${run}`, { headers: { cookie } })).status).toBe(404);
			// What is new is stored beside it, and what is known is merged, however old.
			const [young, known] = [uuid(), uuid()];
			await requestWith({}, `${runsPath(chat)}/${known}`, recording("PUT", report(old)));
			if (by === "door") await bindHub(chat, KEPT);
			const patched = await patchRuns(chat, [
				{ id: run, ...report(old) },
				{ id: young, ...report({ ...old, startedAt: day(-29) }) },
				{
					id: known,
					...report({ ...old, steps: [{ id: "a", status: "running", startedAt: day(-39), completedAt: null }] }),
				},
			]);
			const { data } = await patched.json<{ data: { created: string[]; warnings: string[] } }>();
			expect([data.created, data.warnings.length]).toEqual([[young], 1]);
			expect(await runsOf(chat)).toEqual([young, known].sort());
		},
	);

	it("stays deleted, though a report that lost told of something later: it was kept for that", async () => {
		const { chat } = await registeredChat();
		const run = uuid();
		const lost = report({ status: "failed", startedAt: null, completedAt: day(-5) });
		await putRun(chat, run, report({ startedAt: day(-31), completedAt: day(-29) }));
		await putRun(chat, run, lost);
		// It tells of something earlier, and changes the run.
		await putRun(chat, run, report({ startedAt: day(-32), completedAt: day(-29) }));
		await cron(2);
		expect(await runsOf(chat)).toEqual([run]);
		await cron(26);
		expect(await runsOf(chat)).toEqual([]);
		vi.setSystemTime(Date.now() + 26 * DAY);
		await put(chat, run, { ...lost }, "hub");
		expect(await runsOf(chat)).toEqual([]);
	});

	it("had not ended, and was not heard of for as long as runs are kept", async () => {
		const { chat } = await registeredChat();
		const [silent, queued] = [uuid(), uuid()];
		await putRun(chat, silent, report({ status: "running", startedAt: day(-100), completedAt: null }));
		await putRun(chat, queued, { workflowId: uuid(), status: "pending" });
		await cron(29);
		expect(await runsOf(chat)).toEqual([silent, queued].sort());
		await cron(31);
		expect(await runsOf(chat)).toEqual([]);
	});

	it("is taken for a new one where a report tells no moment, and goes again", async () => {
		const { chat } = await registeredChat();
		const run = uuid();
		expect((await put(chat, run, { workflowId: uuid(), status: "running" }, "hub")).status).toBe(201);
		await cron(31);
		expect(await runsOf(chat)).toEqual([]);
	});
});
