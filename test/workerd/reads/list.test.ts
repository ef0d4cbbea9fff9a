import { describe, expect, it } from "vitest";
import type { WorkflowRunList } from "../../../src/workflow-runs/schemas.ts";
import { insertChat, insertRuns, request, runsPath, type StoredRun, signIn, uuid } from "../helpers.ts";

async function chatWith(runs: readonly StoredRun[]) {
	const user = uuid();
	const { cookie } = await signIn(user);
	const chat = await insertChat(user);
	const ids = await insertRuns(chat, runs);
	return { chat, ids, headers: { cookie } };
}

async function list(chat: string, headers: HeadersInit) {
	const response = await request(runsPath(chat), { headers });
	expect(response.status).toBe(200);
	return (await response.json<WorkflowRunList>()).data.workflowRuns;
}

describe("the list", () => {
	it("is empty for a chat without runs", async () => {
		const { chat, headers } = await chatWith([]);
		const response = await request(runsPath(chat), { headers });
		expect(await response.text()).toBe('{"data":{"workflowRuns":[]}}');
	});

	it("holds no other chat's runs, of the same owner neither", async () => {
		const user = uuid();
		const { cookie } = await signIn(user);
		const [one, other] = [await insertChat(user), await insertChat(user)];
		const [mine] = await insertRuns(one, [{}]);
		await insertRuns(other, [{}]);
		expect((await list(one, { cookie })).map((run) => run.id)).toEqual([mine]);
	});

	it("has runs not yet started first, then the newest start, ties by id descending", async () => {
		const ordered: StoredRun[] = [
			{ id: "f0000000-0000-4000-8000-000000000000", status: "pending", startedAt: null, completedAt: null },
			// Cancelled before it started: not started either.
			{ id: "e0000000-0000-4000-8000-000000000000", status: "cancelled", startedAt: null },
			{ id: "10000000-0000-4000-8000-000000000000", status: "pending", startedAt: null, completedAt: null },
			{ startedAt: "2024-02-04T12:00:00.001Z" },
			{ id: "b0000000-0000-4000-8000-000000000000", startedAt: "2024-02-04T12:00:00.000Z" },
			{ id: "a0000000-0000-4000-8000-000000000000", startedAt: "2024-02-04T12:00:00.000Z" },
			{ startedAt: "2023-12-31T23:59:59.999Z" },
		].map((run) => ({ id: uuid(), ...run }));
		const shuffled = [3, 6, 0, 5, 2, 4, 1].map((i) => ordered[i] as StoredRun);
		const { chat, headers } = await chatWith(shuffled);
		expect((await list(chat, headers)).map((run) => run.id)).toEqual(ordered.map((run) => run.id));
	});

	it("serves steps in their stored order, with errors, names and positions only where they were recorded", async () => {
		const steps = [
			{ id: "step-2", status: "completed", startedAt: null, completedAt: null, name: 'Say "hi" – 你好\n', position: 0 },
			{
				id: "step-10",
				status: "failed",
				startedAt: "2024-02-04T12:00:00.000Z",
				completedAt: "2024-02-04T12:00:45.000Z",
				error: { message: "</script>\u2028 is only text" },
			},
			{ id: "step-1", status: "pending", startedAt: null, completedAt: null },
		];
		const error = { message: "Step 10 failed" };
		const { chat, headers } = await chatWith([
			{ status: "failed", error: JSON.stringify(error), steps: JSON.stringify(steps) },
		]);
		const [run] = await list(chat, headers);
		expect(run?.steps).toStrictEqual(steps);
		expect(run?.error).toStrictEqual(error);
	});

	it("serves null for what has not happened yet", async () => {
		const { chat, headers } = await chatWith([{ status: "pending", startedAt: null, completedAt: null }]);
		const [run] = await list(chat, headers);
		expect(run).toMatchObject({ startedAt: null, completedAt: null, steps: [] });
		expect(run).not.toHaveProperty("error");
	});

	it("comes back whole with 5,000 runs of 5 steps, over 2 MB", { timeout: 20_000 }, async () => {
		const start = Date.parse("2024-01-01T00:00:00.000Z");
		const runs = Array.from({ length: 5_000 }, (_, i) => {
			const startedAt = new Date(start + i * 60_000).toISOString();
			const step = { status: "completed", startedAt, completedAt: startedAt };
			const steps = [1, 2, 3, 4, 5].map((position) => ({ id: `step-${position}`, ...step, name: "A step", position }));
			return { startedAt, steps: JSON.stringify(steps) };
		});
		const { chat, ids, headers } = await chatWith(
			runs.map((run) => ({ ...run, completedAt: "2025-01-01T00:00:00.000Z" })),
		);

		const response = await request(runsPath(chat), { headers });

		const text = await response.text();
		expect(text.length).toBeGreaterThan(2_000_000);
		const { workflowRuns } = (JSON.parse(text) as WorkflowRunList).data;
		expect(workflowRuns.map((run) => run.id)).toEqual(ids.toReversed());
		expect(JSON.stringify(workflowRuns.at(-1)?.steps)).toBe(runs[0]?.steps);
	});

	it("is the owner's alone to cache, and to be asked for again each time", async () => {
		const { chat, headers } = await chatWith([{}]);
		const response = await request(runsPath(chat), { headers });
		expect(response.headers.get("cache-control")).toBe("private, no-cache");
		expect(response.headers.get("etag")).toMatch(/^(W\/)?"[^"]+"$/);
	});
});
