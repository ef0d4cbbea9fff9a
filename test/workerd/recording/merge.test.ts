import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type MergeRules, mergeRuns, RUN_RULES, STEP_RULES } from "#protocol/merge.ts";
import { WorkflowRunReport } from "../../../src/workflow-runs/report.ts";
import { STATUSES, type Step, type WorkflowRun } from "../../../src/workflow-runs/schemas.ts";
import { expectedRun } from "./expected.ts";
import { isTerminal, MOMENTS, reportOf } from "./reports.ts";

const RUNS = { numRuns: 1_000 };

const ids = {
	id: "5b0c0f1e-6a39-4b61-9f0a-2f6b8f0e7d11",
	chatId: "550e8400-e29b-41d4-a716-446655440000",
	workflowId: "c2d29867-3d0b-4497-9191-18a9d8ee7830",
};

const run: fc.Arbitrary<WorkflowRun> = reportOf(ids.workflowId, MOMENTS).map((report) => ({ ...report, ...ids }));

/** A run merged with itself: in the form in which it is stored. */
const stored = (one: WorkflowRun) => mergeRuns(one, one);
const mergeAll = (runs: readonly WorkflowRun[]) => runs.map(stored).reduce(mergeRuns);

/** As text, so that the order of keys and of steps counts too. */
function expectSame(actual: WorkflowRun, expected: WorkflowRun, law = "same"): void {
	expect(JSON.stringify(actual), law).toBe(JSON.stringify(expected));
}

/** Seconds of pure computing, and more on a busy machine. */
const LONG = { timeout: 120_000 };

// Making reports takes longer than merging them: the laws are tried on the same ones.
it("the merge is commutative, associative, idempotent and pure, and gives a report that is valid", LONG, () => {
	fc.assert(
		fc.property(run, run, run, (a, b, c) => {
			const before = JSON.stringify([a, b, c]);
			const merged = mergeRuns(a, b);
			expectSame(mergeRuns(b, a), merged, "commutative");
			expectSame(mergeRuns(merged, c), mergeRuns(a, mergeRuns(b, c)), "associative");
			for (const again of [merged, a, b]) expectSame(mergeRuns(merged, again), merged, "idempotent");
			// What a GET returns is a valid report, and can be PUT.
			const all = mergeAll([a, b, c]);
			expectSame(stored(WorkflowRunReport.parse(all) as WorkflowRun), all, "valid");
			expect(JSON.stringify([a, b, c]), "pure").toBe(before);
		}),
		RUNS,
	);
});

describe("any set of reports ends in the state that the rules name", LONG, () => {
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

describe("limits keep to the same rules:", () => {
	/** Some hundred steps of 1,500, so that a few runs together have more than a run may have. */
	const manySteps = fc
		.uniqueArray(fc.nat(1_499), { minLength: 300, maxLength: 900 })
		.map((numbers) => numbers.map((i) => step(`step-${i}`, { name: `n${i % 7}`, position: i % 3 })));
	const large = fc
		.record({ steps: manySteps, status: fc.constantFrom(...STATUSES) })
		.map(({ steps, status }) => state({ status, completedAt: isTerminal(status) ? end : null, steps }));

	it("of more than 1,000 steps the first by id stay, as people count, and the status is never lost", () => {
		fc.assert(
			fc.property(large, large, large, (a, b, c) => {
				const merged = mergeRuns(mergeRuns(a, b), c);
				expectSame(mergeRuns(a, mergeRuns(c, b)), merged);
				for (const again of [a, b, c, merged]) expectSame(mergeRuns(merged, again), merged);
				const numbers = [...new Set([a, b, c].flatMap(({ steps }) => steps.map(({ id }) => Number(id.slice(5)))))];
				const first = numbers.sort((x, y) => x - y).slice(0, 1_000);
				expect(merged.steps.map(({ id }) => Number(id.slice(5))).sort((x, y) => x - y)).toEqual(first);
				if ([a, b, c].some(({ status }) => isTerminal(status))) expect(isTerminal(merged.status)).toBe(true);
			}),
			{ numRuns: 30 },
		);
	});

	it("of more than 20 metrics the first by name stay", () => {
		const named = (from: number) =>
			Object.fromEntries(Array.from({ length: 15 }, (_, i) => [`m${10 + from + i}`, from]));
		const { metrics } = mergeRuns(state({ metrics: named(10) }), state({ metrics: named(0) }));
		expect(Object.keys(metrics ?? {})).toEqual(Array.from({ length: 20 }, (_, i) => `m${10 + i}`));
		expect(metrics).toMatchObject({ m10: 0, m20: 10 });
	});

	it("text is cut at a code point, and ends in …", () => {
		const name = `${"a".repeat(198)}\ud83d\ude80 and more`;
		const error = { message: "é".repeat(4_001) };
		const merged = mergeSteps([step("a", { name, error })], []);
		expect(merged).toEqual([step("a", { name: `${"a".repeat(198)}…`, error: { message: `${"é".repeat(3_999)}…` } })]);
		const whole = `${"a".repeat(197)}\ud83d\ude80 and more`;
		expect(mergeSteps([step("a", { name: whole })], [])[0]?.name).toBe(`${"a".repeat(197)}\ud83d\ude80…`);
	});
});

it("a field without a rule does not compile", () => {
	// @ts-expect-error: there is no rule for `colour`.
	const ofRuns: MergeRules<WorkflowRun & { colour?: string }> = RUN_RULES;
	// @ts-expect-error: there is no rule for `colour`.
	const ofSteps: MergeRules<Step & { colour?: string }> = STEP_RULES;
	expect([ofRuns, ofSteps]).toEqual([RUN_RULES, STEP_RULES]);
});

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

	it("a higher attempt counts before anything else: what failed and was tried again runs", () => {
		const failed = ended("failed", end, "no answer");
		const again = state({ attempt: 2, startedAt: later });
		expect(mergeRuns(again, failed)).toEqual({ ...again, startedAt: later });
		const done = { ...ended("completed", end), attempt: 2 };
		expect(mergeAll([done, failed, again])).toEqual({ ...done, startedAt: later });
		expect(mergeRuns(state({ attempt: 1 }), failed).status).toBe("failed");
		const queued = state({ status: "pending", attempt: 2 });
		expect(mergeRuns(queued, ended("completed", end))).toMatchObject({ status: "pending", completedAt: null });
	});

	it("of two ends of an attempt completed wins over failed, and that over cancelled, whichever came earlier", () => {
		expect(mergeRuns(ended("failed", start), ended("cancelled", end)).status).toBe("failed");
		expect(mergeRuns(ended("cancelled", start), ended("completed", end)).status).toBe("completed");
		expect(mergeRuns(ended("completed", end), ended("failed", start)).status).toBe("completed");
	});

	it("an end that nobody reported loses to any that was reported", () => {
		const assumed = { ...ended("failed", start, "no news"), assumed: true } as const;
		expect(mergeRuns(assumed, state({}))).toEqual(assumed);
		const cancelled = ended("cancelled", end);
		expect(mergeRuns(assumed, cancelled)).toEqual({ ...cancelled, startedAt: start });
		expect(mergeRuns({ ...assumed, attempt: 2 }, ended("completed", end))).toMatchObject({ assumed: true });
		// A run that runs is assumed to nothing.
		expect(mergeRuns(state({ assumed: true }), state({}))).toEqual(state({}));
	});

	it("of two ends that are alike the earlier wins", () => {
		expect(mergeRuns(ended("failed", later, "no answer"), ended("failed", end))).toMatchObject({
			completedAt: later,
			error: { message: "no answer" },
		});
	});

	it("an end before 2000 loses to any later one that is alike: a clock that was never set is not the earliest", () => {
		expect(mergeRuns(ended("failed", longAgo), ended("failed", end)).completedAt).toBe(end);
		expect(mergeRuns(ended("failed", longAgo), ended("cancelled", end)).completedAt).toBe(longAgo);
	});

	it("on a full tie an error wins over none, the greater text over the lesser, then the output's", () => {
		expect(mergeRuns(ended("failed", end), ended("failed", end, "")).error).toEqual({ message: "" });
		expect(mergeRuns(ended("failed", end, "b"), ended("failed", end, "aaa")).error).toEqual({ message: "b" });
		const done = ended("completed", end);
		expect(mergeRuns(done, { ...done, output: null })).toEqual({ ...done, output: null });
		expect(mergeRuns({ ...done, output: "b" }, { ...done, output: "a" })).toEqual({ ...done, output: "b" });
	});

	it("output goes with the state that won", () => {
		const [partial, done] = [state({ output: "half" }), ended("completed", end)];
		expect(mergeRuns(partial, done)).toEqual(done);
		expect(mergeRuns(partial, { ...done, output: "all" })).toMatchObject({ output: "all" });
	});

	it("the newest activity counts, of the attempt and stage that count; an end leaves none", () => {
		const doing = (at: string, message: string, more: Partial<WorkflowRun> = {}) =>
			state({ activity: { at, message }, ...more });
		expect(mergeRuns(doing(start, "b"), doing(later, "a")).activity).toEqual({ at: later, message: "a" });
		expect(mergeRuns(doing(start, "b"), doing(start, "a")).activity).toEqual({ at: start, message: "b" });
		expect(mergeRuns(doing(start, "b"), state({})).activity).toEqual({ at: start, message: "b" });
		expect(mergeRuns(doing(later, "queued", { status: "pending" }), doing(start, "a")).activity?.message).toBe("a");
		expect(mergeRuns(doing(later, "a"), state({ attempt: 2 }))).toEqual(state({ attempt: 2 }));
		expect(mergeRuns(doing(later, "a"), ended("failed", end))).toEqual(ended("failed", end));
	});

	it("metrics count by name, the highest", () => {
		const [a, b] = [
			{ tokens: 12, cost: 0.5 },
			{ tokens: 7, items: -1 },
		];
		expect(mergeRuns(state({ metrics: a }), state({ metrics: b })).metrics).toEqual({
			cost: 0.5,
			items: -1,
			tokens: 12,
		});
	});

	it("of ids and names of a run the longest counts, then the greatest; of parents the greatest", () => {
		const one = { workflowName: "Research", externalId: "wrun_2", messageId: "a", parentRunId: ids.id };
		const other = { workflowName: "Digest", externalId: "wrun_1", messageId: "bb", parentRunId: ids.chatId };
		const merged = { workflowName: "Research", externalId: "wrun_2", messageId: "bb", parentRunId: ids.id };
		expect(mergeRuns(state(one), state(other))).toEqual(state(merged));
		const [step1, step2] = [step("a", { parentId: "b" }), step("a", { parentId: "c" })];
		expect(mergeSteps([step1], [step2])).toEqual([step2]);
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
		// The end that lost is a moment at which the run had begun.
		const earlier = ended("cancelled", later);
		for (const order of [
			[running, failed, earlier],
			[earlier, running, failed],
			[failed, earlier, running],
		]) {
			expect(mergeAll(order)).toMatchObject({ status: "failed", startedAt: later, completedAt: end });
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
