import { MAX_MESSAGE, MAX_METRICS, MAX_NAME, MAX_STEPS } from "./limits.ts";
import { compareStepIds, compareSteps, compareText } from "./order.ts";
import { compareEnds, compareJson, compareRank, compareStates, isEnded, type State } from "./state.ts";
import { cutText } from "./text.ts";
import type {
	WorkflowRunActivity as Activity,
	WorkflowRunMetrics as Metrics,
	WorkflowRunStep as Step,
	WorkflowRun,
} from "./types.ts";

/*
 * Reports of a run may come twice, late or out of order. The merge of two states is commutative, associative and
 * idempotent, limits included, so that every order of the same reports ends in the same state. Pure: no I/O, no clock.
 *
 * One limit is not kept here: the size of an output. The receiver of a report leaves a larger one out before the merge.
 */

/** Two states of one thing. */
interface Pair<T> {
	readonly a: T;
	readonly b: T;
	/** The state that counts. */
	readonly winner: T;
	readonly loser: T;
}

/** How each field merges, in the served order of fields. A field without a rule does not compile. */
export type MergeRules<T> = { readonly [K in keyof T]-?: (pair: Pair<T>) => T[K] };

type Progress = Pick<Step, keyof Step & keyof WorkflowRun>;

/**
 * Merges two states of one run, with its steps in their order and its keys in the served order.
 * The caller checks that both have the same id, chat and workflow.
 */
export function mergeRuns(a: WorkflowRun, b: WorkflowRun): WorkflowRun {
	return mergeBy(RUN_RULES, a, b);
}

/** Merges two states of one step of a run. */
export function mergeStep(a: Step, b: Step): Step {
	return mergeBy(STEP_RULES, a, b);
}

function mergeBy<T extends State>(rules: MergeRules<T>, a: T, b: T): T {
	const [winner, loser] = compareStates(a, b) < 0 ? [b, a] : [a, b];
	const pair: Pair<T> = { a, b, winner, loser };
	const merged: Partial<T> = {};
	for (const field in rules) {
		const value = rules[field](pair);
		if (value !== undefined) merged[field] = value;
	}
	return merged as T;
}

const stateRules = {
	status: ({ winner }: Pair<Progress>) => winner.status,
	startedAt: earliestStart,
	completedAt: ({ winner }: Pair<Progress>) => winner.completedAt,
	error: ({ winner: { error } }: Pair<Progress>) => error && { message: cutText(error.message, MAX_MESSAGE) },
	output: ({ winner }: Pair<Progress>) => winner.output,
	attempt: ({ a, b }: Pair<Progress>) => greatest(a.attempt, b.attempt, (one, other) => one - other),
	activity: newestActivity,
	metrics: ({ a, b }: Pair<Progress>) => highest(a.metrics, b.metrics),
};

export const STEP_RULES: MergeRules<Step> = {
	id: ({ a }) => a.id,
	...stateRules,
	name: ({ a, b }) => longest(a.name, b.name),
	position: ({ a, b }) => greatest(a.position, b.position, (one, other) => one - other),
	parentId: ({ a, b }) => greatest(a.parentId, b.parentId, compareText),
};

export const RUN_RULES: MergeRules<WorkflowRun> = {
	id: ({ a }) => a.id,
	chatId: ({ a }) => a.chatId,
	workflowId: ({ a }) => a.workflowId,
	...stateRules,
	workflowName: ({ a, b }) => longest(a.workflowName, b.workflowName),
	externalId: ({ a, b }) => longest(a.externalId, b.externalId),
	messageId: ({ a, b }) => longest(a.messageId, b.messageId),
	parentRunId: ({ a, b }) => greatest(a.parentRunId, b.parentRunId, compareText),
	assumed: ({ winner }) => (isEnded(winner.status) && winner.assumed) || undefined,
	steps: ({ a, b }) => mergeSteps(a.steps, b.steps),
};

function mergeSteps(a: readonly Step[], b: readonly Step[]): Step[] {
	const merged = new Map<string, Step>();
	for (const step of [...a, ...b]) merged.set(step.id, mergeStep(merged.get(step.id) ?? step, step));
	const all = [...merged.values()];
	// By id, which no merge changes: a step that one merge leaves out would be left out by every later one too.
	const kept = all.length > MAX_STEPS ? all.sort((x, y) => compareStepIds(x.id, y.id)).slice(0, MAX_STEPS) : all;
	return kept.sort(compareSteps);
}

/**
 * The earliest start of all. An end that lost shows that it had started by then, so it counts as a start, too. If clocks
 * disagree, a start may be after the end. Then the end is served as the start. Without both rules, the result would depend
 * on the order of the reports.
 */
function earliestStart({ a, b, winner, loser }: Pair<Progress>): string | null {
	const otherEnd = compareEnds(winner, loser) === 0 ? null : loser.completedAt;
	const start = earliest(earliest(a.startedAt, b.startedAt), otherEnd);
	return start === null ? null : earliest(start, winner.completedAt);
}

function earliest(a: string | null, b: string | null): string | null {
	return greatest(a, b, (one, other) => compareText(other, one)) ?? null;
}

/** The newest activity of the attempt and stage that count; none after the end. */
function newestActivity({ a, b, winner }: Pair<Progress>): Activity | undefined {
	if (isEnded(winner.status)) return;
	const [one, other] = [a, b].map((state) => (compareRank(state, winner) === 0 ? tidy(state.activity) : undefined));
	return greatest(
		one,
		other,
		(x, y) => compareText(x.at, y.at) || compareText(x.message, y.message) || compareJson(x, y),
	);
}

/** Its message cut and its keys in the served order. */
function tidy(activity: Activity | undefined): Activity | undefined {
	if (!activity) return;
	const { at, message, waiting, progress } = activity;
	return {
		at,
		message: cutText(message, MAX_MESSAGE),
		...(waiting !== undefined && { waiting }),
		...(progress !== undefined && { progress }),
	};
}

/** For each name the highest. If there are too many names, the first stay: merging does not change names. */
function highest(a: Metrics | undefined, b: Metrics | undefined): Metrics | undefined {
	if (!a && !b) return;
	const merged = new Map<string, number>();
	for (const [name, value] of [...Object.entries(a ?? {}), ...Object.entries(b ?? {})]) {
		merged.set(name, Math.max(value, merged.get(name) ?? value));
	}
	return Object.fromEntries([...merged].sort(([x], [y]) => compareText(x, y)).slice(0, MAX_METRICS));
}

/** The longest text, then the greatest. Cut before they are compared, so that cutting makes no order matter. */
function longest(a: string | undefined, b: string | undefined): string | undefined {
	const [one, other] = [a, b].map((text) => (text === undefined ? undefined : cutText(text, MAX_NAME)));
	return greatest(one, other, (x, y) => x.length - y.length || compareText(x, y));
}

/** The greater of two, where either may be missing. */
function greatest<T>(a: T | null | undefined, b: T | null | undefined, compare: (a: T, b: T) => number): T | undefined {
	if (a === undefined || a === null) return b ?? undefined;
	if (b === undefined || b === null) return a;
	return compare(a, b) < 0 ? b : a;
}
