import type { WorkflowRun } from "./types.ts";

/**
 * No workflow ran before. An earlier moment is that of a clock that was never set, or of a field that was never filled:
 * most systems begin to count in 1970.
 */
export const FIRST_MOMENT = "2000-01-01T00:00:00.000Z";

/** All moments that a run and its steps tell of: ISO 8601, UTC, milliseconds. */
export function momentsOf(run: WorkflowRun): string[] {
	return [run, ...run.steps].flatMap(({ startedAt, completedAt, activity }) =>
		[startedAt, completedAt, activity?.at ?? null].filter((moment) => moment !== null),
	);
}

/** The latest of some moments; empty: there is none. Compared as text, since all of them are in the form that is served. */
export function latestOf(moments: readonly string[]): string {
	return moments.reduce((latest, moment) => (moment > latest ? moment : latest), "");
}
