import { describe, expect, it } from "vitest";
import { axisOf, barOf, lengthOf } from "#timeline/spans.ts";
import type { Status, Step, WorkflowRun } from "../../../src/workflow-runs/schemas.ts";

const at = (second: number | null) => (second === null ? null : new Date(second * 1000).toISOString());

function step(status: Status, from: number | null, to: number | null): Step {
	return { id: "step", status, startedAt: at(from), completedAt: at(to) };
}

function run(status: Status, from: number | null, to: number | null, steps: Step[] = []): WorkflowRun {
	return { ...step(status, from, to), id: "run", chatId: "chat", workflowId: "workflow", steps };
}

const NOW = 100_000;
const bar = (one: Step, whole: WorkflowRun) => {
	const axis = axisOf(whole, NOW);
	return axis && barOf(one, whole, axis, NOW);
};

describe("a run's axis", () => {
	it("is as long as the run", () => {
		expect(axisOf(run("completed", 10, 50), NOW)).toEqual({ from: 10_000, to: 50_000 });
	});

	it("grows while the run does", () => {
		expect(axisOf(run("running", 10, null), NOW)).toEqual({ from: 10_000, to: NOW });
	});

	it("has room for steps before the start and behind the end, by clocks that disagree", () => {
		const steps = [step("completed", 5, 20), step("completed", 40, 60)];
		expect(axisOf(run("completed", 10, 50, steps), NOW)).toEqual({ from: 5_000, to: 60_000 });
	});

	it("is of the steps alone where the run's own start was never reported", () => {
		expect(axisOf(run("pending", null, null, [step("completed", 5, 20)]), NOW)).toEqual({ from: 5_000, to: 20_000 });
	});

	it("is none where nothing started", () => {
		expect(axisOf(run("cancelled", null, 50, [step("cancelled", null, 50)]), NOW)).toBeNull();
	});
});

describe("a step's bar", () => {
	it("lies where the step does", () => {
		const half = step("completed", 30, 50);
		expect(bar(half, run("completed", 10, 50, [half]))).toEqual({ start: 0.5, length: 0.5 });
	});

	it("ends now while the step runs, and with its run if its end was never reported", () => {
		const open = step("running", 55, null);
		expect(bar(open, run("running", 10, null, [open]))).toEqual({ start: 0.5, length: 0.5 });
		expect(bar(open, run("failed", 40, 70, [open]))).toEqual({ start: 0.5, length: 0.5 });
	});

	it("is none before the step starts", () => {
		const waiting = step("pending", null, null);
		expect(bar(waiting, run("running", 10, null, [waiting]))).toBeNull();
	});

	it("stays on an axis that has no length, and on one that starts in the future", () => {
		const instant = step("completed", 10, 10);
		expect(bar(instant, run("completed", 10, 10, [instant]))).toEqual({ start: 0, length: 0 });
		const future = step("running", 200, null);
		expect(bar(future, run("running", 200, null, [future]))).toEqual({ start: 0, length: 0 });
		expect(lengthOf(future, NOW)).toBe(0);
	});
});
