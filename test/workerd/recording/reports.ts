import fc from "fast-check";
import { STATUSES, type Status, type Step, type WorkflowRun } from "../../../src/workflow-runs/schemas.ts";

/*
 * Reports of runs that collide as often as they can: few steps, few moments, few names. What the merge
 * has to decide between two reports, it has to decide in most of these.
 */

/** Seven moments, in order; one of them before 1970, and two a millisecond apart. */
export const MOMENTS = [
	"1969-07-20T20:17:40.000Z",
	"2024-02-04T12:00:00.000Z",
	"2024-02-04T12:00:00.001Z",
	"2024-02-04T12:00:45.000Z",
	"2024-02-04T12:01:30.000Z",
	"2024-12-31T23:59:59.999Z",
	"2025-01-01T00:00:00.000Z",
] as const;

const STEP_IDS = ["step-1", "step-2", "step-10", "Step-2", "__proto__", "étape 1"];
/** Of one length as well as longer and shorter; with a quote, a zero byte and half of a surrogate pair. */
const NAMES = ["", "Fetch", "Write", 'Sum "up"', "\u0000", "\ud800", "Fetch the sources"];
const MESSAGES = ["", "no answer", "no answer within 30 s", "\ud83d\ude80 it's", "\udc00"];

export const isTerminal = (status: Status) => status !== "pending" && status !== "running";

const failure = fc.option(
	fc.constantFrom(...MESSAGES).map((message) => ({ message })),
	{ nil: undefined },
);

/** A status with the timestamps that it may have. */
const progress = fc
	.record({
		status: fc.constantFrom(...STATUSES),
		moments: fc.tuple(fc.nat(MOMENTS.length - 1), fc.nat(MOMENTS.length - 1)),
		started: fc.boolean(),
		error: failure,
	})
	.map(({ status, moments: [a, b], started, error }) => ({
		status,
		startedAt: started ? (MOMENTS[Math.min(a, b)] as string) : null,
		completedAt: isTerminal(status) ? (MOMENTS[Math.max(a, b)] as string) : null,
		...(error && { error }),
	}));

const step: fc.Arbitrary<Step> = fc
	.record({
		id: fc.constantFrom(...STEP_IDS),
		progress,
		name: fc.option(fc.constantFrom(...NAMES), { nil: undefined }),
		position: fc.option(fc.nat(2), { nil: undefined }),
	})
	.map(({ id, progress, name, position }) => ({
		id,
		...progress,
		...(name !== undefined && { name }),
		...(position !== undefined && { position }),
	}));

export type Report = Omit<WorkflowRun, "id" | "chatId">;

/** A report of a run of this workflow, in the served form of timestamps. */
export const reportOf = (workflowId: string): fc.Arbitrary<Report> =>
	fc
		.record({ progress, steps: fc.uniqueArray(step, { maxLength: 4, selector: ({ id }) => id }) })
		.map(({ progress, steps }) => ({ workflowId, ...progress, steps }));
