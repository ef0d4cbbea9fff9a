import { waitForHook, waitForSleep } from "@workflow/vitest";
import { follow } from "edge-runs/engines/workflow";
import { uuidFor } from "edge-runs/recorder";
import { expect, it, vi } from "vitest";
import { resumeHook, start } from "workflow/api";
import { getWorld } from "workflow/runtime";
import { asks, breaks, research, retried, sleeps } from "../workflows/plays.ts";
import { outline, recording } from "./recording.ts";

/** A recording of one run, which is followed by the World's log. */
function following() {
	const { recorder, chatId, userId, runs } = recording();
	const options = { world: getWorld(), recorder, chatId, userId, pollMilliseconds: 20 };
	return {
		chatId,
		follow: (runId: string, signal?: AbortSignal) => follow(runId, { ...options, signal }),
		async recorded(runId: string) {
			const [run, ...others] = await runs();
			expect(others).toEqual([]);
			expect(run).toMatchObject({ id: uuidFor("workflow-sdk", runId), externalId: runId });
			if (!run) throw new Error("No run was recorded");
			return run;
		},
	};
}

it("records a workflow: steps, those side by side, sleeps", async () => {
	const { follow, recorded } = following();
	const { runId } = await start(research, ["tides"]);
	expect(await follow(runId)).toEqual({ ended: true });
	const run = await recorded(runId);
	expect(run).toMatchObject({ status: "completed", workflowName: "research" });
	expect(outline(run)).toEqual([
		{ id: expect.stringMatching(/^step_/), name: "fetchPages", status: "completed" },
		{ id: expect.stringMatching(/^wait_/), name: "sleep", status: "completed" },
		{ id: expect.stringMatching(/^step_/), name: "summarise", status: "completed" },
		{ id: expect.stringMatching(/^step_/), name: "summarise", status: "completed" },
	]);
	// Followed again, from the start: the same reports.
	await follow(runId);
	expect(await recorded(runId)).toEqual(run);
});

it("records a step's attempts, and the step as completed in the end", async () => {
	const { chatId, follow, recorded } = following();
	const { runId } = await start(retried, [chatId]);
	await follow(runId);
	const run = await recorded(runId);
	expect(run.status).toBe("completed");
	expect(outline(run)).toMatchObject([{ name: "flaky", status: "completed", attempt: 3 }]);
	expect(run.steps[0]).not.toHaveProperty("error");
});

it("records a failure", async () => {
	const { follow, recorded } = following();
	const { runId } = await start(breaks, []);
	await follow(runId);
	const failed = { status: "failed", error: { message: "it broke" } };
	expect(await recorded(runId)).toMatchObject({
		...failed,
		steps: [
			{ name: "fetchPages", status: "completed" },
			{ name: "broken", ...failed },
		],
	});
});

it("records what a run waits for, without the hook's token", async () => {
	const { chatId, follow, recorded } = following();
	const run = await start(asks, [`secret ${chatId}`]);
	const followed = follow(run.runId);
	const hook = await waitForHook(run);
	const waiting = { name: "hook", status: "running", activity: { waiting: true } };
	await vi.waitFor(async () => expect(await recorded(run.runId)).toMatchObject({ steps: [waiting] }), 10_000);
	expect(JSON.stringify(await recorded(run.runId))).not.toContain(hook.token);
	await resumeHook(hook.token, "yes");
	await followed;
	expect(await recorded(run.runId)).toMatchObject({
		status: "completed",
		steps: [{ name: "hook", status: "completed" }],
	});
});

it("records a cancelled run, also where it is followed only afterwards", async () => {
	const { follow, recorded } = following();
	const run = await start(sleeps, []);
	await waitForSleep(run);
	const sleeping = {
		name: "sleep",
		status: "running",
		activity: { message: expect.stringMatching(/^Sleeps until 2/) },
	};
	await vi.waitFor(async () => {
		expect(await follow(run.runId, AbortSignal.timeout(100))).toEqual({ ended: false });
		expect(await recorded(run.runId)).toMatchObject({ status: "running", steps: [sleeping] });
	}, 10_000);
	await run.cancel();
	await follow(run.runId);
	expect(await recorded(run.runId)).toMatchObject({
		status: "cancelled",
		steps: [{ name: "sleep", status: "cancelled" }],
	});
});

it("says so where the log cannot be read", async () => {
	const { follow } = following();
	expect(await follow("wrun_of_nobody", AbortSignal.timeout(500))).toMatchObject({ ended: false });
});

it("takes an event that got into the log behind one that was read already", async () => {
	const { recorder, chatId, userId, runs } = recording();
	const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second));
	const step = { correlationId: "step_1", eventData: { stepName: "step//./w//late" } };
	const late = {
		eventType: "step_failed",
		createdAt: at(2),
		...step,
		eventData: { ...step.eventData, error: "it broke" },
	};
	const log = [
		{ eventType: "run_created", createdAt: at(0), eventData: { workflowName: "workflow//./w//tolerant" } },
		{ eventType: "run_started", createdAt: at(0) },
		{ eventType: "step_started", createdAt: at(1), ...step },
		{ eventType: "run_completed", createdAt: at(3) },
	];
	let reads = 0;
	// As a World with several writers may do it; which event is late is chance, so that the real one cannot be asked.
	const list = async () => ({ data: reads++ === 0 ? log : log.toSpliced(3, 0, late), cursor: null, hasMore: false });
	await follow("wrun_late", { world: { events: { list } }, recorder, chatId, userId, pollMilliseconds: 1 });
	expect(await runs()).toMatchObject([
		{ status: "completed", steps: [{ name: "late", status: "failed", error: { message: "it broke" } }] },
	]);
});
