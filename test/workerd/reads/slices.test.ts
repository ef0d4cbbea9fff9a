import { env } from "cloudflare:workers";
import fc from "fast-check";
import { expect, it } from "vitest";
import { STATUSES, type WorkflowRunList } from "../../../src/workflow-runs/schemas.ts";
import { insertChat, insertRuns, requestWith, runsPath, type StoredRun, signIn, uuid } from "../helpers.ts";
import { putRun, report } from "../recording/recorder.ts";
import { type Hooks, watchBindings } from "../watch-bindings.ts";
import { age, type KeptHistory, keep, keptHistory } from "./kept.ts";

/* Filters and pages: from the copy where one holds, else from D1; the same either way. */

/** Ties within a millisecond, runs that have not started, every status. */
const RUNS: StoredRun[] = STATUSES.flatMap((status): StoredRun[] => [
	{
		status,
		startedAt: null,
		completedAt: status === "pending" || status === "running" ? null : "2024-02-04T12:01:30.000Z",
	},
	{ status, completedAt: status === "pending" || status === "running" ? null : "2024-02-04T12:01:30.000Z" },
	{
		status,
		startedAt: "2024-01-01T00:00:00.000Z",
		steps: '[{"id":"a","status":"completed","startedAt":null,"completedAt":null}]',
		completedAt: status === "pending" || status === "running" ? null : "2024-02-04T12:01:30.000Z",
	},
]);

async function ownChat(runs: readonly StoredRun[] = RUNS) {
	const user = uuid();
	const { cookie } = await signIn(user);
	const chat = await insertChat(user);
	await insertRuns(chat, runs);
	return { chat, cookie };
}

async function read(
	{ chat, cookie }: { chat: string; cookie: string },
	query = "",
	{ headers = {}, hooks = {} as Hooks } = {},
) {
	const { calls, ...bindings } = watchBindings(hooks);
	const response = await requestWith(bindings, runsPath(chat) + query, { headers: { cookie, ...headers } });
	return {
		status: response.status,
		text: await response.text(),
		etag: response.headers.get("etag"),
		cache: response.headers.get("cache-status"),
		roundTrips: calls.d1.length,
		queries: calls.d1.flat(),
	};
}

const failD1: Hooks = {
	onD1: () => {
		throw new Error("D1_ERROR: no such luck");
	},
};

it("are cut from a fresh copy without D1, and are the same as from D1, with the same ETag", async () => {
	const chat = await ownChat();
	const { text } = await read(chat);
	const { workflowRuns } = (JSON.parse(text) as WorkflowRunList).data;
	const cursors: string[] = [];
	for (const run of workflowRuns) {
		cursors.push(btoa(`${run.startedAt ?? "~"} ${run.id}`).replaceAll("=", ""));
	}
	const queries = fc.record(
		{
			status: fc.uniqueArray(fc.constantFrom(...STATUSES), { minLength: 1 }).map((statuses) => statuses.join()),
			limit: fc.integer({ min: 1, max: RUNS.length + 1 }).map(String),
			cursor: fc.constantFrom(...cursors),
			startedAfter: fc.constantFrom(
				"2024-01-01T00:00:00.000Z",
				"2024-01-01T00:00:00.001Z",
				"2024-02-04T13:00:00+01:00",
			),
			startedBefore: fc.constantFrom("2024-01-01T00:00:00Z", "2024-02-04T12:00:00.000Z", "2024-02-04T12:00:00.001Z"),
			steps: fc.constant("none"),
		},
		{ requiredKeys: [] },
	);
	await fc.assert(
		fc.asyncProperty(queries, async (query) => {
			if (Object.keys(query).length === 0) return;
			const search = `?${new URLSearchParams(query as Record<string, string>)}`;
			const copied = await read(chat, search);
			expect(copied).toMatchObject({ status: 200, cache: "edge-runs; hit", roundTrips: 0 });
			const entry = (await keptHistory(chat.chat)) as KeptHistory;
			// A copy that cannot be used, so that D1 answers.
			await keep(chat.chat, { ...entry, byteLength: 1_000_001 });
			const fromD1 = await read(chat, search);
			expect(fromD1).toMatchObject({ status: 200, cache: "edge-runs; fwd=bypass", roundTrips: 1 });
			expect([copied.text, copied.etag]).toEqual([fromD1.text, fromD1.etag]);
			expect(await read(chat, search, { headers: { "if-none-match": copied.etag as string } })).toMatchObject({
				status: 304,
			});
			await keep(chat.chat, { ...entry, checkedAt: Date.now() + 60_000 });
		}),
		{ numRuns: 40 },
	);
});

it("by time read the runs of that time, from D1 and from the copy: a start counts from `startedAfter` on", async () => {
	const at = (minute: number) => new Date(Date.UTC(2024, 0, 1, 0, minute)).toISOString();
	const starts = Array.from({ length: 400 }, (_, minute) => ({ startedAt: at(minute) }));
	const waiting = Array.from({ length: 50 }, () => ({ startedAt: null, status: "pending", completedAt: null }));
	const chat = await ownChat([...starts, ...waiting]);
	const query = `?startedAfter=${at(100)}&startedBefore=${encodeURIComponent("2024-01-01T03:45:00+02:00")}`;
	const startsOf = ({ text }: { text: string }) =>
		(JSON.parse(text) as WorkflowRunList).data.workflowRuns.map(({ startedAt }) => startedAt);
	const expected = [104, 103, 102, 101, 100].map(at);
	const answer = await read(chat, query);
	expect([answer.status, startsOf(answer)]).toEqual([200, expected]);
	const results = await env.DB.batch(answer.queries.map(({ sql, params }) => env.DB.prepare(sql).bind(...params)));
	expect(results.reduce((sum, { meta }) => sum + meta.rows_read, 0)).toBeLessThanOrEqual(5 * expected.length + 2);
	await read(chat);
	const copied = await read(chat, query);
	expect([copied.cache, startsOf(copied)]).toEqual(["edge-runs; hit", expected]);
	expect(startsOf(await read(chat, `?startedAfter=${at(398)}`))).toEqual([at(399), at(398)]);
	expect(startsOf(await read(chat, `?startedBefore=${at(1)}`))).toEqual([at(0)]);
});

it("leave the steps out where the list is light, and nothing else", async () => {
	const steps = JSON.stringify([{ id: "a", status: "completed", startedAt: null, completedAt: null }]);
	const chat = await ownChat([{ steps }, { steps, startedAt: "2024-02-04T11:00:00.000Z" }]);
	const light = await read(chat, "?steps=none");
	const whole = await read(chat);
	expect(light.cache).toBe("edge-runs; fwd=bypass");
	const { workflowRuns, nextCursor } = (JSON.parse(whole.text) as WorkflowRunList).data;
	expect(nextCursor).toBeUndefined();
	expect(workflowRuns.map((run) => run.steps.length)).toEqual([1, 1]);
	const emptied = workflowRuns.map((run) => ({ ...run, steps: [] }));
	expect(JSON.parse(light.text)).toEqual({ data: { workflowRuns: emptied } });
	expect((await read(chat, "?steps=none")).text).toBe(light.text);
	for (const bad of ["all", "", "none,none"]) expect((await read(chat, `?steps=${bad}`)).status).toBe(400);
	for (const bad of ["2024", "2024-01-01T00:00:00", "", "x"]) {
		const refused = await read(chat, `?startedAfter=${bad}`);
		expect([refused.status, refused.text]).toEqual([400, expect.stringContaining("startedAfter: ")]);
	}
});

it("cost one row where the copy is no longer fresh, but still right", async () => {
	const chat = await ownChat();
	await read(chat);
	await age(chat.chat, { checked: 2 });
	const answer = await read(chat, "?status=failed");
	expect(answer).toMatchObject({ cache: "edge-runs; fwd=stale; fwd-status=304", roundTrips: 1 });
	expect((JSON.parse(answer.text) as WorkflowRunList).data.workflowRuns).toHaveLength(3);
	const results = await env.DB.batch(answer.queries.map(({ sql, params }) => env.DB.prepare(sql).bind(...params)));
	expect(results.reduce((sum, { meta }) => sum + meta.rows_read, 0)).toBeLessThanOrEqual(1);
	// And the copy is fresh again.
	expect(await read(chat)).toMatchObject({ cache: "edge-runs; hit", roundTrips: 0 });
});

it("come from D1 where the chat has changed", async () => {
	const chat = await ownChat();
	await read(chat);
	expect((await putRun(chat.chat, uuid(), report())).status).toBe(201);
	await age(chat.chat, { checked: 2 });
	const answer = await read(chat, "?status=completed");
	expect(answer).toMatchObject({ cache: "edge-runs; fwd=bypass", roundTrips: 1 });
	expect((JSON.parse(answer.text) as WorkflowRunList).data.workflowRuns).toHaveLength(4);
});

it("come through a D1 outage, as the list does", async () => {
	const chat = await ownChat();
	const before = await read(chat, "?status=failed");
	await read(chat);
	await age(chat.chat, { checked: 2 });
	const stale = await read(chat, "?status=failed", { hooks: failD1 });
	expect(stale).toMatchObject({ status: 200, text: before.text });
	expect(stale.cache).toContain("stale-if-error");
});

it("are nobody's but the owner's, from a copy too", async () => {
	const chat = await ownChat();
	await read(chat);
	const stranger = { ...chat, cookie: (await signIn(uuid())).cookie };
	for (const query of ["?status=failed", "?limit=1"]) expect((await read(stranger, query)).status).toBe(403);
});

it("come from D1 where the copy is so large that parsing it would take longer", async () => {
	const steps = JSON.stringify([
		{ id: "x", status: "failed", startedAt: null, completedAt: null, name: "x".repeat(400_000) },
	]);
	const chat = await ownChat([{ status: "failed", steps }, { steps }, { steps }]);
	expect(await read(chat)).toMatchObject({ status: 200 });
	expect((await keptHistory(chat.chat))?.byteLength).toBeGreaterThan(1_000_000);
	const answer = await read(chat, "?status=failed");
	expect(answer).toMatchObject({ status: 200, cache: "edge-runs; fwd=bypass", roundTrips: 1 });
	expect((JSON.parse(answer.text) as WorkflowRunList).data.workflowRuns).toHaveLength(1);
});
