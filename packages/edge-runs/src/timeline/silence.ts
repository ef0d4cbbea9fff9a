import { latestOf, momentsOf } from "../protocol/moments.ts";
import type { WorkflowRun } from "../protocol/types.ts";

/** A run may be busy for long with one step. After an hour without any news it is worth a word. In milliseconds. */
const SILENT_AFTER = 3_600_000;

/**
 * For how long a run that is said to run has told nothing, in milliseconds; null if that is not long, or it has ended.
 * Pure: `now` is in milliseconds since the epoch.
 */
export function silenceOf(run: WorkflowRun, now: number): number | null {
	if (run.status !== "running") return null;
	const last = latestOf(momentsOf(run));
	if (last === "") return null;
	const silence = now - Date.parse(last);
	return silence >= SILENT_AFTER ? silence : null;
}
