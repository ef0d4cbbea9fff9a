import fc from "fast-check";
import type { JsonValue } from "#protocol/types.ts";
import { STATUSES, type Status, type Step, type WorkflowRun } from "../../../src/workflow-runs/schemas.ts";

/*
 * Reports of runs that collide as often as they can: few steps, few moments, few names. What the merge
 * has to decide between two reports, it has to decide in most of these.
 */

/** Seven moments, in order; one of them that cannot be, and two a millisecond apart. */
export const MOMENTS = [
	"1969-07-20T20:17:40.000Z",
	"2024-02-04T12:00:00.000Z",
	"2024-02-04T12:00:00.001Z",
	"2024-02-04T12:00:45.000Z",
	"2024-02-04T12:01:30.000Z",
	"2024-12-31T23:59:59.999Z",
	"2025-01-01T00:00:00.000Z",
] as const;

/** Those that the service takes as they are. */
const POSSIBLE = MOMENTS.slice(1);

const STEP_IDS = ["step-1", "step-2", "step-10", "Step-2", "__proto__", "étape 1"];
/**
 * Of one length as well as longer and shorter; with a quote, a zero byte and half of a surrogate pair; and some that are
 * too long, one of which has an emoji where it is cut.
 */
const NAMES = [
	"",
	"Fetch",
	"Write",
	'Sum "up"',
	"\u0000",
	"\ud800",
	"Fetch the sources",
	"x".repeat(300),
	"z".repeat(201),
	`${"z".repeat(198)}\ud83d\ude80 launched`,
];
const MESSAGES = ["", "no answer", "no answer within 30 s", "\ud83d\ude80 it's", "\udc00", "m".repeat(4_001)];
const OUTPUTS = [null, false, 0, "", "done", [1, [2]], { answer: 42, ok: true }, { ok: true, answer: 42 }];

export const isTerminal = (status: Status) => status !== "pending" && status !== "running";

const failure = fc.option(
	fc.constantFrom(...MESSAGES).map((message) => ({ message })),
	{ nil: undefined },
);

/** A status with the timestamps that it may have. */
const progressAt = (moments: readonly string[]) =>
	fc
		.record({
			status: fc.constantFrom(...STATUSES),
			span: fc.tuple(fc.nat(moments.length - 1), fc.nat(moments.length - 1)),
			started: fc.boolean(),
			error: failure,
		})
		.map(({ status, span: [a, b], started, error }) => ({
			status,
			startedAt: started ? (moments[Math.min(a, b)] as string) : null,
			completedAt: isTerminal(status) ? (moments[Math.max(a, b)] as string) : null,
			...(error && { error }),
		}));

/** Leaves a field out in half of the cases. */
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });

/** Without the fields that were left out. */
const defined = <T extends object>(value: T) =>
	Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as {
		[K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
	} & { [K in keyof T as undefined extends T[K] ? never : K]: T[K] };

const activityAt = (moments: readonly string[]) =>
	fc
		.record({
			at: fc.constantFrom(...moments),
			message: fc.constantFrom(...MESSAGES),
			waiting: maybe(fc.boolean()),
			progress: maybe(fc.constantFrom(0, 0.25, 1)),
		})
		.map(defined);

/** More names than may be, the first ones more often. */
const METRIC_NAMES = ["", "constructor", "10", "9", ...Array.from({ length: 24 }, (_, i) => `m${i}`)];
const metrics = fc.oneof(
	fc.dictionary(fc.constantFrom("tokens", "cost"), fc.constantFrom(-1, 0, 0.5, 1e300)),
	fc
		.subarray(METRIC_NAMES, { minLength: 12 })
		.chain((names) =>
			fc
				.array(fc.nat(3), { minLength: names.length, maxLength: names.length })
				.map((values) => Object.fromEntries(names.map((name, i) => [name, values[i] as number]))),
		),
);

/** What both a run and a step may say beside their progress. */
const detailsAt = (moments: readonly string[]) => ({
	output: maybe(fc.constantFrom<JsonValue>(...OUTPUTS)),
	attempt: maybe(fc.constantFrom(1, 2, 3)),
	activity: maybe(activityAt(moments)),
	metrics: maybe(metrics),
});

const stepAt = (moments: readonly string[]): fc.Arbitrary<Step> =>
	fc
		.record({
			id: fc.constantFrom(...STEP_IDS),
			progress: progressAt(moments),
			more: fc
				.record({
					...detailsAt(moments),
					name: maybe(fc.constantFrom(...NAMES)),
					position: maybe(fc.nat(2)),
					parentId: maybe(fc.constantFrom(...STEP_IDS)),
				})
				.map(defined),
		})
		.map(({ id, progress, more }) => ({ id, ...progress, ...more }));

const PARENTS = ["5b0c0f1e-6a39-4b61-9f0a-2f6b8f0e7d01", "5b0c0f1e-6a39-4b61-9f0a-2f6b8f0e7d02"];
const IDS = ["wrun_1", "wrun_2", "01J9ZC0V"];

export type Report = Omit<WorkflowRun, "id" | "chatId">;

/** A report of a run of this workflow, in the served form of timestamps. */
export const reportOf = (workflowId: string, moments: readonly string[] = POSSIBLE): fc.Arbitrary<Report> =>
	fc
		.record({
			progress: progressAt(moments),
			assumed: fc.constantFrom(true as const, undefined, undefined),
			more: fc
				.record({
					...detailsAt(moments),
					workflowName: maybe(fc.constantFrom(...NAMES.slice(1))),
					externalId: maybe(fc.constantFrom(...IDS)),
					messageId: maybe(fc.constantFrom(...IDS)),
					parentRunId: maybe(fc.constantFrom(...PARENTS)),
				})
				.map(defined),
			steps: fc.uniqueArray(stepAt(moments), { maxLength: 4, selector: ({ id }) => id }),
		})
		.map(({ progress, assumed, more, steps }) => ({
			workflowId,
			...progress,
			...more,
			...(assumed && isTerminal(progress.status) && { assumed }),
			steps,
		}));
