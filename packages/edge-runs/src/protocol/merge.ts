import { compareText } from "./order.ts";
import type { WorkflowRunStatus as Status, WorkflowRunStep as Step, WorkflowRun } from "./types.ts";

/*
 * Reports of a run may come twice, late or out of order. The merge of two states is commutative,
 * associative and idempotent, so that every order of the same reports ends in the same state.
 * Pure: no I/O, no clock.
 */

/** What both a run and a step have. */
type Progress = Pick<WorkflowRun, "status" | "startedAt" | "completedAt" | "error">;

/** Status only moves forward. */
const STAGE: Readonly<Record<Status, number>> = { pending: 0, running: 1, completed: 2, failed: 2, cancelled: 2 };

/** Between two ends at the same moment, the one that needs attention wins. */
const GRAVITY: Readonly<Record<Status, number>> = { pending: 0, running: 0, completed: 0, cancelled: 1, failed: 2 };

/**
 * Merges two states of one run, with its steps in their order and its keys in the served order.
 * Both have the same id, chat and workflow: that is the caller's to check.
 */
export function mergeRuns(a: WorkflowRun, b: WorkflowRun): WorkflowRun {
	const { status, startedAt, completedAt, error } = mergeProgress(a, b);
	const { id, chatId, workflowId } = a;
	return { id, chatId, workflowId, status, startedAt, completedAt, ...error, steps: mergeSteps(a.steps, b.steps) };
}

function mergeSteps(a: readonly Step[], b: readonly Step[]): Step[] {
	const merged = new Map<string, Step>();
	for (const step of [...a, ...b]) merged.set(step.id, mergeStep(merged.get(step.id) ?? step, step));
	return [...merged.values()].sort(compareSteps);
}

function mergeStep(a: Step, b: Step): Step {
	const { status, startedAt, completedAt, error } = mergeProgress(a, b);
	const name = greatest(a.name, b.name, (one, other) => one.length - other.length || compareText(one, other));
	const position = greatest(a.position, b.position, (one, other) => one - other);
	return {
		id: a.id,
		status,
		startedAt,
		completedAt,
		...error,
		...(name !== undefined && { name }),
		...(position !== undefined && { position }),
	};
}

/** `error` is ready to be spread: empty where there is none. */
function mergeProgress(a: Progress, b: Progress) {
	const { status, completedAt, error } = compareEnds(a, b) < 0 ? b : a;
	let startedAt = greatest(a.startedAt, b.startedAt, (one, other) => compareText(other, one)) ?? null;
	// By clocks that disagree, a start can lie behind the end. It is served as the end, which keeps the order of
	// merging without effect, since the end that wins is the earliest.
	if (startedAt !== null && completedAt !== null && startedAt > completedAt) startedAt = completedAt;
	return { status, startedAt, completedAt, error: error && { error: { message: error.message } } };
}

/** Which of two states says how it ended, or how far it is: the greater. Equal only if both say the same. */
function compareEnds(a: Progress, b: Progress): number {
	return (
		STAGE[a.status] - STAGE[b.status] ||
		compareText(b.completedAt ?? "", a.completedAt ?? "") ||
		GRAVITY[a.status] - GRAVITY[b.status] ||
		Number(a.error !== undefined) - Number(b.error !== undefined) ||
		compareText(a.error?.message ?? "", b.error?.message ?? "")
	);
}

/** By position (none last), then start (none last), then id, as people count: step-2 before step-10. */
function compareSteps(a: Step, b: Step): number {
	return (
		(a.position ?? Number.POSITIVE_INFINITY) - (b.position ?? Number.POSITIVE_INFINITY) ||
		compareText(a.startedAt ?? NEVER, b.startedAt ?? NEVER) ||
		asPeopleCount.compare(a.id, b.id) ||
		compareText(a.id, b.id)
	);
}

/** Behind every timestamp. */
const NEVER = "~";

const asPeopleCount = new Intl.Collator("en", { numeric: true });

/** The greater of two, where either may be missing. */
function greatest<T extends string | number>(
	a: T | null | undefined,
	b: T | null | undefined,
	compare: (a: T, b: T) => number,
): T | undefined {
	if (a === undefined || a === null) return b ?? undefined;
	if (b === undefined || b === null) return a;
	return compare(a, b) < 0 ? b : a;
}
