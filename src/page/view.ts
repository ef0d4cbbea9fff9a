import { encodeCursor, isBehind, type Position } from "../workflow-runs/cursor.ts";
import type { Status, WorkflowRun } from "../workflow-runs/schemas.ts";

/** Which of a chat's runs a page shows. */
export interface Choice {
	/** Only runs of this status; null: all. */
	readonly status: Status | null;
	/** Only runs behind this position in the list's order. */
	readonly after: Position | null;
	/** At most this number of runs. */
	readonly limit: number;
}

/** The part of a chat's runs that a page shows. */
export interface View {
	/** How many runs the chat has in each status. */
	readonly counts: Readonly<Record<Status, number>>;
	readonly total: number;
	readonly runs: readonly WorkflowRun[];
	/** The cursor of the next runs; null if these are the last. */
	readonly next: string | null;
}

/** The reader gets more by scrolling, or by a link. This keeps the page small and the server's work short. */
export const RUNS_PER_PAGE = 50;

/** @param runs all of the chat's runs, in the list's order */
export function viewOf(runs: readonly WorkflowRun[], { status, after, limit }: Choice): View {
	const counts = { pending: 0, running: 0, completed: 0, failed: 0, cancelled: 0 };
	const shown: WorkflowRun[] = [];
	let goesOn = false;
	for (const run of runs) {
		counts[run.status] += 1;
		if ((status !== null && run.status !== status) || (after !== null && !isBehind(run, after))) continue;
		if (shown.length < limit) shown.push(run);
		else goesOn = true;
	}
	const last = shown.at(-1);
	return { counts, total: runs.length, runs: shown, next: goesOn && last ? encodeCursor(last) : null };
}

/** The run that shows its steps at first: the newest one that has started. */
export function openAtFirst(runs: readonly WorkflowRun[]): WorkflowRun | undefined {
	return runs.find((run) => run.startedAt !== null);
}
