import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mergeRuns } from "#protocol/merge.ts";
import { WorkflowRunReport } from "../../../src/workflow-runs/report.ts";
import { STATUSES, type Step, type WorkflowRun } from "../../../src/workflow-runs/schemas.ts";
import { expectedRun } from "./expected.ts";
import { isTerminal, MOMENTS, reportOf } from "./reports.ts";

const RUNS = { numRuns: 3_000 };

const ids = {
	id: "5b0c0f1e-6a39-4b61-9f0a-2f6b8f0e7d11",
	chatId: "550e8400-e29b-41d4-a716-446655440000",
	workflowId: "c2d29867-3d0b-4497-9191-18a9d8ee7830",
};

const run: fc.Arbitrary<WorkflowRun> = reportOf(ids.workflowId).map((report) => ({ ...report, ...ids }));

/** A run merged with itself: in the form in which it is stored. */
const stored = (one: WorkflowRun) => mergeRuns(one, one);
const mergeAll = (runs: readonly WorkflowRun[]) => runs.map(stored).reduce(mergeRuns);

/** As text, so that the order of keys and of steps counts too. */
function expectSame(actual: WorkflowRun, expected: WorkflowRun): void {
	expect(JSON.stringify(actual)).toBe(JSON.stringify(expected));
}

describe("the merge is", () => {
	it("commutative", () => {
		fc.assert(
			fc.property(run, run, (a, b) => expectSame(mergeRuns(a, b), mergeRuns(b, a))),
			RUNS,
		);
	});

	it("associative", () => {
		fc.assert(
			fc.property(run, run, run, (a, b, c) => expectSame(mergeRuns(mergeRuns(a, b), c), mergeRuns(a, mergeRuns(b, c)))),
			RUNS,
		);
	});

	it("idempotent: a report that was merged before changes nothing", () => {
		fc.assert(
			fc.property(run, run, (a, b) => {
				const merged = mergeRuns(a, b);
				for (const again of [merged, a, b]) expectSame(mergeRuns(merged, again), merged);
			}),
			RUNS,
		);
	});

	it("pure: it leaves both runs as they were", () => {
		fc.assert(
			fc.property(run, run, (a, b) => {
				const before = JSON.stringify([a, b]);
				mergeRuns(a, b);
				expect(JSON.stringify([a, b])).toBe(before);
			}),
			RUNS,
		);
	});
});

describe("any set of reports ends in the state that the rules name", () => {
	/** Reports, and the same again in another order, with some of them twice. */
	const reportsTwice = fc.array(run, { minLength: 1, maxLength: 8 }).chain((reports) =>
		fc.record({
			reports: fc.constant(reports),
			shuffled: fc
				.shuffledSubarray([...reports, ...reports], { minLength: 0, maxLength: reports.length })
				.chain((twice) => fc.shuffledSubarray([...reports, ...twice], { minLength: reports.length + twice.length })),
			cuts: fc.array(fc.nat(16), { maxLength: 4 }),
		}),
	);

	it("in any order, with duplicates, merged in any groups", () => {
		fc.assert(
			fc.property(reportsTwice, ({ reports, shuffled, cuts }) => {
				const expected = expectedRun(reports);
				expectSame(mergeAll(shuffled), expected);
				const bounds = [0, ...cuts.filter((cut) => cut < shuffled.length).sort((a, b) => a - b), shuffled.length];
				const groups = bounds.slice(1).map((end, i) => shuffled.slice(bounds[i], end));
				expectSame(mergeAll(groups.filter(({ length }) => length > 0).map(mergeAll)), expected);
			}),
			RUNS,
		);
	});

	it("which is itself a valid report: what a GET returns can be PUT", () => {
		fc.assert(
			fc.property(run, run, run, (a, b, c) => {
				const merged = mergeAll([a, b, c]);
				expectSame(stored(WorkflowRunReport.parse(merged) as WorkflowRun), merged);
			}),
			RUNS,
		);
	});
});

const [longAgo, start, , later, end, , muchLater] = MOMENTS;
const state = (more: Partial<WorkflowRun>): WorkflowRun => ({
	...ids,
	status: "running",
	startedAt: null,
	completedAt: null,
	steps: [],
	...more,
});
const step = (id: string, more: Partial<Step> = {}): Step => ({
	id,
	status: "running",
	startedAt: null,
	completedAt: null,
	...more,
});
const ended = (status: WorkflowRun["status"], completedAt: string, message?: string) =>
	state({ status, completedAt, ...(message !== undefined && { error: { message } }) });
const mergeSteps = (a: Step[], b: Step[]) => mergeRuns(state({ steps: a }), state({ steps: b })).steps;

describe("by the rules", () => {
	it("status only moves forward", () => {
		for (const a of STATUSES) {
			for (const b of STATUSES) {
				const [one, two] = [a, b].map((status) => state({ status, completedAt: isTerminal(status) ? end : null }));
				const { status } = mergeRuns(one as WorkflowRun, two as WorkflowRun);
				const furthest = isTerminal(a) || isTerminal(b) ? "terminal" : a === "running" ? a : b;
				expect(isTerminal(status) ? "terminal" : status, `${a} and ${b}`).toBe(furthest);
			}
		}
	});

	it("of two ends the earlier wins, with its status and its error", () => {
		const failed = ended("failed", later, "no answer");
		expect(mergeRuns(failed, ended("completed", end))).toEqual(failed);
		expect(mergeRuns(failed, ended("completed", start))).toEqual(ended("completed", start));
	});

	it("on a tie failed wins over cancelled, and that over completed", () => {
		expect(mergeRuns(ended("failed", end), ended("cancelled", end)).status).toBe("failed");
		expect(mergeRuns(ended("cancelled", end), ended("completed", end)).status).toBe("cancelled");
		expect(mergeRuns(ended("completed", end), ended("failed", end)).status).toBe("failed");
	});

	it("on a full tie an error wins over none, and the greater text over the lesser", () => {
		expect(mergeRuns(ended("failed", end), ended("failed", end, "")).error).toEqual({ message: "" });
		expect(mergeRuns(ended("failed", end, "b"), ended("failed", end, "aaa")).error).toEqual({ message: "b" });
	});

	it("an error goes with the status that won: progress leaves it behind", () => {
		const waiting = state({ status: "pending", error: { message: "queue full" } });
		expect(mergeRuns(waiting, state({}))).toEqual(state({}));
	});

	it("the earliest start counts, whichever status won", () => {
		const [early, late] = [state({ startedAt: start }), state({ ...ended("failed", end), startedAt: later })];
		expect(mergeRuns(early, late)).toMatchObject({ status: "failed", startedAt: start });
		expect(mergeRuns(state({ startedAt: longAgo }), early).startedAt).toBe(longAgo);
		expect(mergeRuns(state({}), early).startedAt).toBe(start);
	});

	it("a start behind the end is served as the end, whatever is merged first", () => {
		const [running, failed] = [state({ startedAt: muchLater }), ended("failed", end)];
		expect(mergeRuns(running, failed)).toMatchObject({ startedAt: end, completedAt: end });
		const earlier = ended("cancelled", later);
		for (const order of [
			[running, failed, earlier],
			[earlier, running, failed],
			[failed, earlier, running],
		]) {
			expect(mergeAll(order)).toMatchObject({ status: "cancelled", startedAt: later, completedAt: later });
		}
	});

	it("steps are merged one by one, and one that is left out stays", () => {
		const done = step("b", { status: "completed", completedAt: end });
		expect(mergeSteps([step("a"), step("b")], [done, step("c")])).toEqual([step("a"), done, step("c")]);
	});

	it("the highest position counts; the longest name, then the greatest", () => {
		const [one, two] = [step("a", { position: 0, name: "Fetch" }), step("a", { position: 2, name: "Write" })];
		expect(mergeSteps([one], [two])).toEqual([step("a", { position: 2, name: "Write" })]);
		expect(mergeSteps([two], [step("a", { name: "Abstract" })])).toEqual([
			step("a", { position: 2, name: "Abstract" }),
		]);
		expect(mergeSteps([one], [step("a")])).toEqual([one]);
	});

	it("steps stand by position, then start, then id as people count; none last", () => {
		const inOrder = [
			step("z", { position: 0 }),
			step("y", { position: 1, startedAt: later }),
			step("x", { position: 1 }),
			step("step-10", { startedAt: start }),
			step("step-1", { startedAt: later }),
			step("step-1"),
			step("step-2"),
			step("Step-2"),
			step("step-10"),
		].map((each, i, all) => (all.findIndex(({ id }) => id === each.id) === i ? each : { ...each, id: `${each.id}b` }));
		expect(mergeSteps(inOrder.toReversed(), []).map(({ id }) => id)).toEqual(inOrder.map(({ id }) => id));
	});
});
