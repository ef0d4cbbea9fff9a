import { compareRuns, type Ordered } from "../protocol/order.ts";
import type { WorkflowRun, WorkflowRunStatus } from "../protocol/types.ts";

/** Which of a chat's runs are wanted. */
export interface Choice {
	/** Only runs of this status; null: all. */
	readonly status: WorkflowRunStatus | null;
	/** Only runs behind this one in the list's order. */
	readonly after: Ordered | null;
	/** Only runs that have this text in a name, an id or an error; empty: all. */
	readonly search: string;
}

/** What a list of a chat's runs shows. */
export interface View {
	/** How many runs the chat has in each status. */
	readonly counts: Readonly<Record<WorkflowRunStatus, number>>;
	readonly total: number;
	/** The chosen runs: all of them. */
	readonly runs: readonly WorkflowRun[];
}

/** Runs in a page as it is sent, so that it is small and the server's work short. The script shows the others. */
export const RUNS_PER_PAGE = 50;

/** @param runs all of the chat's runs, in the list's order */
export function viewOf(runs: readonly WorkflowRun[], { status, after, search }: Choice): View {
	const counts = { pending: 0, running: 0, completed: 0, failed: 0, cancelled: 0 };
	const wanted = search.trim().toLowerCase();
	const chosen = runs.filter((run) => {
		counts[run.status] += 1;
		if ((status !== null && run.status !== status) || (after !== null && compareRuns(run, after) <= 0)) return false;
		return wanted === "" || says(run, wanted);
	});
	return { counts, total: runs.length, runs: chosen };
}

/** Whether a run has this text, in lower case, where people would look for it. */
function says(run: WorkflowRun, text: string): boolean {
	const { id, workflowId, workflowName, externalId, messageId, error, steps } = run;
	const has = (part: string | undefined) => part?.toLowerCase().includes(text) === true;
	if ([id, workflowId, workflowName, externalId, messageId, error?.message].some(has)) return true;
	return steps.some((step) => has(step.name ?? step.id) || has(step.error?.message));
}

/** The run that shows its steps at first: the newest one that has started. */
export function openAtFirst(runs: readonly WorkflowRun[]): WorkflowRun | undefined {
	return runs.find((run) => run.startedAt !== null);
}
