import { MAX_MESSAGE } from "./limits.ts";
import { FIRST_MOMENT } from "./moments.ts";
import { compareText } from "./order.ts";
import { cutText } from "./text.ts";
import type { WorkflowRunStatus as Status, WorkflowRun } from "./types.ts";

/*
 * Whose status counts. A run or step goes through attempts, and within one from pending over running to an end. Of two
 * states of one thing the greater one counts, in a total order, so that any order of reports ends in the same state.
 */

/** The fields that the order of two states depends on. */
export type State = Pick<WorkflowRun, "status" | "completedAt" | "error" | "output" | "attempt" | "assumed">;

/** How far a status is. Within an attempt, status only moves forward. */
const PROGRESS: Readonly<Record<Status, number>> = { pending: 0, running: 1, completed: 2, failed: 2, cancelled: 2 };

/** Of two ends of one attempt: a recorder that saw it complete knows more than one that gave up on it. */
const END_PRIORITY: Readonly<Record<Status, number>> = {
	pending: 0,
	running: 0,
	cancelled: 0,
	failed: 1,
	completed: 2,
};

/** Whether a run or step of this status has ended. */
export const isEnded = (status: Status): boolean => PROGRESS[status] === PROGRESS.completed;

/** How far a state is: its attempt first, then its status. */
export function compareRank(a: State, b: State): number {
	return (a.attempt ?? 1) - (b.attempt ?? 1) || PROGRESS[a.status] - PROGRESS[b.status];
}

/** Which of two states counts, by how each ended or how far it is. 0 if that is the same. */
export function compareEnds(a: State, b: State): number {
	return (
		compareRank(a, b) ||
		Number(isReported(a)) - Number(isReported(b)) ||
		END_PRIORITY[a.status] - END_PRIORITY[b.status] ||
		Number(isPossible(a)) - Number(isPossible(b)) ||
		compareText(b.completedAt ?? "", a.completedAt ?? "")
	);
}

/** Which of two states counts: the greater. 0 only if both say the same. */
export function compareStates(a: State, b: State): number {
	return (
		compareEnds(a, b) ||
		Number(a.error !== undefined) - Number(b.error !== undefined) ||
		compareText(messageOf(a), messageOf(b)) ||
		compareJson(a.output, b.output)
	);
}

const isReported = ({ assumed }: State) => assumed !== true;

/** An end in 1970 says that it has ended, and nothing of when. It must not count for being the earliest. */
const isPossible = ({ completedAt }: State) => completedAt !== null && completedAt >= FIRST_MOMENT;

/** Cut before it is compared, so that it makes no difference whether it was cut before. */
const messageOf = ({ error }: State) => cutText(error?.message ?? "", MAX_MESSAGE);

/** Compares by text. A missing value is the least. */
export function compareJson(a: unknown, b: unknown): number {
	if (a === b) return 0;
	return compareText(JSON.stringify(a) ?? "", JSON.stringify(b) ?? "");
}
