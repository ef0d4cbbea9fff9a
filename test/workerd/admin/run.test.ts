import { afterEach, describe, expect, it, vi } from "vitest";
import { insertChat, insertRuns, request, uuid } from "../helpers.ts";
import { putRun, recording, registeredChat, report } from "../recording/recorder.ts";
import { watchBindings } from "../watch-bindings.ts";
import { cost, look, refusal } from "./look.ts";

afterEach(() => {
	vi.restoreAllMocks();
});

const MOMENT = expect.stringMatching(/^\d{4}-\d\d-\d\dT.*\.\d{3}Z$/);
const NONE = { pending: 0, running: 0, completed: 0, failed: 0, cancelled: 0 };
const at = (minute: number) => `2024-02-04T12:${String(minute).padStart(2, "0")}:00.000Z`;

async function lookAt(run: string): Promise<Record<string, unknown> & { steps: { open: { id: string }[] } }> {
	const { workflowRun } = await look<{ workflowRun: never }>(`workflow-runs/${run}`);
	return workflowRun;
}

describe("an operator's look at a run", () => {
	it("tells what it waits for and since when, and nothing of what is in it", async () => {
		const { chat, user } = await registeredChat();
		const [run, parent] = [uuid(), uuid()];
		const steps = [
			{ id: "fetch", status: "completed", startedAt: at(0), completedAt: at(1), output: "a secret", name: "private" },
			{
				id: "approve",
				status: "running",
				startedAt: at(2),
				attempt: 3,
				activity: { at: at(9), message: "a private message", waiting: true },
			},
			{ id: "write", status: "pending", name: "private" },
		];
		const body = report({
			status: "running",
			startedAt: at(0),
			completedAt: null,
			workflowName: "research",
			externalId: "wrun_1",
			messageId: "private-message",
			parentRunId: parent,
			attempt: 2,
			activity: { at: at(3), message: "a private message" },
			output: "a secret",
			metrics: { tokens: 7 },
			steps,
		});
		await putRun(chat, run, body);
		const told = await lookAt(run.toUpperCase());
		expect(told).toEqual({
			id: run,
			chatId: chat,
			userId: user,
			chatDeletedAt: null,
			workflowId: body["workflowId"],
			workflowName: "research",
			externalId: "wrun_1",
			parentRunId: parent,
			status: "running",
			isWaiting: false,
			attempt: 2,
			createdAt: MOMENT,
			startedAt: at(0),
			completedAt: null,
			lastNewsAt: at(9),
			heardAt: expect.toSatisfy((heardAt: string) => Math.abs(Date.parse(heardAt) - Date.now()) < 60_000),
			change: 2,
			bytes: expect.toSatisfy((bytes: number) => bytes > 300 + JSON.stringify(steps).length),
			steps: {
				byStatus: { ...NONE, pending: 1, running: 1, completed: 1 },
				open: [
					{ id: "approve", status: "running", startedAt: at(2), attempt: 3, isWaiting: true },
					{ id: "write", status: "pending", startedAt: null, isWaiting: false },
				],
			},
		});
		expect(JSON.stringify(told)).not.toMatch(/secret|private|fetch/);
	});

	it("tells the run's own error, and that its chat is deleted", async () => {
		const { chat } = await registeredChat();
		const run = uuid();
		await putRun(chat, run, report({ status: "failed", error: { message: "The model did not answer" } }));
		await request(`/api/chats/${chat}`, recording("DELETE"));
		expect(await lookAt(run)).toMatchObject({
			status: "failed",
			error: { message: "The model did not answer" },
			lastNewsAt: report()["completedAt"],
			chatDeletedAt: MOMENT,
		});
	});

	it("says of an end that nobody reported that it is assumed", async () => {
		const [run] = (await insertRuns(await insertChat(uuid()), [{ status: "failed", details: '{"assumed":true}' }])) as [
			string,
		];
		expect(await lookAt(run)).toMatchObject({ status: "failed", assumed: true });
	});

	it("survives what the service would not write, and a run that tells no moment", async () => {
		const pending = { status: "pending", startedAt: null, completedAt: null };
		const runs = await insertRuns(await insertChat(uuid()), [{ ...pending, details: "{oh" }, pending]);
		for (const run of runs) expect(await lookAt(run)).toMatchObject({ lastNewsAt: null, status: "pending" });
	});

	it("names ten open steps, those that run first", async () => {
		const { chat } = await registeredChat();
		const run = uuid();
		const steps = Array.from({ length: 30 }, (_, i) => ({
			id: `step-${i}`,
			position: i,
			status: i % 10 === 9 ? "running" : "pending",
			startedAt: i % 10 === 9 ? at(0) : null,
		}));
		await putRun(chat, run, report({ status: "running", completedAt: null, steps }));
		const { open } = (await lookAt(run)).steps;
		expect(open.map(({ id }) => id)).toEqual([
			...["step-9", "step-19", "step-29"],
			...Array.from({ length: 7 }, (_, i) => `step-${i}`),
		]);
	});

	it("is one D1 round trip, two rows and no KV", async () => {
		const [run] = (await insertRuns(await insertChat(uuid()), Array(20).fill({}))) as [string];
		const { trips, rows, kv } = await cost(`workflow-runs/${run}`);
		expect([trips, kv]).toEqual([1, 0]);
		expect(rows).toBeLessThanOrEqual(3);
	});

	it("refuses what is no run, and says what it is", async () => {
		expect(await refusal(`workflow-runs/${uuid()}`)).toEqual([404, "RUN_NOT_FOUND", "No run of this id is recorded"]);
		expect(await refusal("workflow-runs/wrun_1")).toEqual([400, "INVALID_RUN_ID", "Invalid workflow run ID format"]);
	});

	it("is a 503 where D1 fails", async () => {
		vi.spyOn(console, "error").mockImplementation(() => {});
		const { calls: _, ...bindings } = watchBindings({ onD1: () => Promise.reject(new Error("D1_ERROR: overloaded")) });
		expect(await refusal(`workflow-runs/${uuid()}`, bindings)).toMatchObject({ 0: 503, 1: "STORE_UNAVAILABLE" });
	});
});
