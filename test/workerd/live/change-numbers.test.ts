import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { type State, stateOf } from "../../../src/db/change.ts";
import type { Env } from "../../../src/env.ts";
import { scopeOf } from "../../../src/scope.ts";
import { pruneRuns } from "../../../src/workflow-runs/prune.ts";
import { readChanges } from "../../../src/workflow-runs/read-changes.ts";
import { insertRuns, request, requestWith, runsPath, uuid } from "../helpers.ts";
import { patchRuns, putRun, recording, registeredChat, report } from "../recording/recorder.ts";
import { watchBindings } from "../watch-bindings.ts";
import { recordAs01 } from "./version-01.ts";

const running = (more: Record<string, unknown> = {}) => report({ status: "running", completedAt: null, ...more });

interface ChatRow {
	change: number;
	revision: string;
	floor: number;
	trail: string;
}
const chatRow = async (chat: string) =>
	(await env.DB.prepare("select change, revision, floor, trail from chats where id = ?")
		.bind(chat)
		.first<ChatRow>()) as ChatRow;
const now = async (chat: string) => stateOf(await chatRow(chat));
const changeOf = (run: string) =>
	env.DB.prepare("select change from workflow_runs where id = ?").bind(run).first("change");

/** The ids of the runs that changed since, in the order of their changes; null where that cannot be told. */
async function changedSince(chat: string, since: State): Promise<string[] | null> {
	const changes = await readChanges(env.DB.withSession(), chat, since);
	return changes?.runs?.map((run) => JSON.parse(run).id) ?? null;
}

describe("a chat's change number", () => {
	it("grows by one with each write that changes anything, and its changed runs get the same", async () => {
		const { chat, user } = await registeredChat();
		expect((await now(chat)).change).toBe(1);
		const [one, other] = [uuid(), uuid()];
		await putRun(chat, one, running());
		await patchRuns(chat, [
			{ id: one, ...running() },
			{ id: other, ...running() },
		]);
		expect([(await now(chat)).change, await changeOf(one), await changeOf(other)]).toEqual([3, 2, 3]);
		// The same again changes nothing.
		await putRun(chat, one, running());
		await request(`/api/chats/${chat}`, recording("PUT", { userId: user }));
		expect((await now(chat)).change).toBe(3);
	});

	it("grows when the chat is deleted, and when it comes back with its runs", async () => {
		const { chat, user } = await registeredChat();
		const before = await now(chat);
		await request(`/api/chats/${chat}`, recording("DELETE"));
		await request(`/api/chats/${chat}`, recording("DELETE"));
		expect((await now(chat)).change).toBe(2);
		await request(`/api/chats/${chat}`, recording("PUT", { userId: user, restore: true }));
		expect((await now(chat)).change).toBe(3);
		expect(await changedSince(chat, before)).toEqual([]);
	});

	it("tells every earlier state what has changed since, each run once", async () => {
		const { chat } = await registeredChat();
		const runs = [uuid(), uuid(), uuid()] as const;
		const states = [await now(chat)];
		for (const run of [...runs, runs[0]]) {
			await putRun(chat, run, running({ steps: [{ id: `step-${states.length}`, status: "running" }] }));
			states.push(await now(chat));
		}
		const [a, b, c] = runs;
		const told = await Promise.all(states.map((state) => changedSince(chat, state)));
		expect(told).toEqual([[b, c, a], [b, c, a], [c, a], [a], []]);
	});

	it("tells a state nothing that the chat never had, or had too long ago", async () => {
		const { chat } = await registeredChat();
		const first = await now(chat);
		const run = uuid();
		await putRun(chat, run, running());
		const { change, mark } = await now(chat);
		for (const never of [
			{ change, mark: "00000000" },
			{ change: change - 1, mark },
			{ change: change + 1, mark },
			{ change: 0, mark: "" },
			{ change: -3, mark },
		]) {
			expect(await changedSince(chat, never)).toBeNull();
		}
		// As after 255, and 256, changes more.
		const marks = (count: number) => Array.from({ length: count }, (_, i) => String(i).padStart(8, "0")).join("");
		const lengthen = (count: number) =>
			env.DB.prepare("update chats set change = change + ?, trail = substr(trail || ? || ?, -2048) where id = ?")
				.bind(count, marks(count - 1), mark, chat)
				.run();
		await lengthen(254);
		expect(await changedSince(chat, first)).toEqual([run]);
		await putRun(chat, uuid(), running());
		expect(await changedSince(chat, first)).toBeNull();
		expect((await chatRow(chat)).trail).toHaveLength(2048);
	});
});

describe("nobody is told what has changed across", () => {
	it("runs that retention has deleted: it raises the floor", async () => {
		const { chat } = await registeredChat();
		const [stays] = await insertRuns(chat, [
			{ status: "running", completedAt: null },
			{ completedAt: "2019-01-01T00:00:00.000Z", startedAt: null },
		]);
		const before = await now(chat);
		await pruneRuns(
			scopeOf({ ...env, RETENTION_DAYS: "30" } as Env, createExecutionContext()),
			Date.parse("2019-06-01"),
		);
		const { floor, change } = await chatRow(chat);
		expect([floor, change]).toEqual([2, 2]);
		expect(await changedSince(chat, before)).toBeNull();
		const after = await now(chat);
		await putRun(
			chat,
			stays as string,
			running({ workflowId: await workflowOf(stays as string), error: { message: "No" } }),
		);
		expect(await changedSince(chat, before)).toBeNull();
		expect(await changedSince(chat, after)).toEqual([stays]);
	});

	it("a write of 0.1, which serves while the database is migrated: it leaves no mark", async () => {
		const { chat } = await registeredChat();
		const [ours, theirs] = [uuid(), uuid()];
		await putRun(chat, ours, running());
		const before = await now(chat);
		await recordAs01(chat, { id: theirs, status: "running" });
		const between = await now(chat);
		expect(between.change).toBe(before.change);
		expect(await changedSince(chat, before)).toBeNull();
		// Who has what the chat has now lacks nothing.
		expect(await changedSince(chat, between)).toEqual([]);
		await putRun(chat, ours, report());
		const after = await chatRow(chat);
		expect(after.floor).toBe(after.change);
		for (const state of [before, between]) expect(await changedSince(chat, state)).toBeNull();
		await putRun(chat, uuid(), running());
		expect(await changedSince(chat, stateOf(after))).toHaveLength(1);
	});

	it("a database that was restored: its changes have the same numbers, and other marks", async () => {
		const { chat } = await registeredChat();
		const [kept, lost, later] = [uuid(), uuid(), uuid()];
		await putRun(chat, kept, running());
		const backup = await chatRow(chat);
		const atBackup = await now(chat);
		await putRun(chat, lost, running());
		const lostState = await now(chat);
		await env.DB.batch([
			env.DB.prepare("delete from workflow_runs where id = ?").bind(lost),
			env.DB.prepare("update chats set change = ?, revision = ?, floor = ?, trail = ? where id = ?").bind(
				...[backup.change, backup.revision, backup.floor, backup.trail, chat],
			),
		]);
		for (const status of ["running", "completed"])
			await putRun(chat, later, status === "running" ? running() : report());
		expect(await changedSince(chat, lostState)).toBeNull();
		expect(await changedSince(chat, atBackup)).toEqual([later]);
	});
});

const workflowOf = (run: string) =>
	env.DB.prepare("select workflow_id from workflow_runs where id = ?").bind(run).first("workflow_id");

it("a read of what has changed costs rows in proportion to the change, not to the chat", async () => {
	const { chat } = await registeredChat();
	const ids = await insertRuns(
		chat,
		Array.from({ length: 1_000 }, () => ({ status: "running", completedAt: null })),
	);
	const start = await now(chat);
	const workflowIds = await Promise.all(ids.slice(0, 10).map(workflowOf));
	await patchRuns(
		chat,
		ids
			.slice(0, 10)
			.map((id, i) => ({ id, ...running({ workflowId: workflowIds[i] }), steps: [{ id: "step", status: "running" }] })),
	);
	const rowsRead = async (since: State) => {
		const { DB, calls } = watchBindings();
		await readChanges(DB.withSession(), chat, since);
		const [[query]] = calls.d1 as [[{ sql: string; params: unknown[] }]];
		const { meta, results } = await env.DB.prepare(query.sql)
			.bind(...query.params)
			.all();
		return { rows: meta.rows_read, changed: results.length };
	};
	expect(await rowsRead(start)).toEqual({ rows: expect.toSatisfy((rows: number) => rows <= 21), changed: 10 });
	expect((await rowsRead(await now(chat))).rows).toBeLessThanOrEqual(2);
	// Where it cannot be told, the runs are not read either.
	expect((await rowsRead({ change: 1, mark: "never-was" })).rows).toBeLessThanOrEqual(2);
});

it("is written by a door in the same batch as the runs", async () => {
	const { chat } = await registeredChat();
	const { calls, ...bindings } = watchBindings();
	await requestWith(bindings, `${runsPath(chat)}/${uuid()}`, recording("PUT", running()));
	expect(calls.d1.map((batch) => batch.length)).toEqual([2, 2]);
});
