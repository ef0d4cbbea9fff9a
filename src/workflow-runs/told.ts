import { FIRST_MOMENT, latestOf, momentsOf } from "#protocol/moments.ts";
import type { WorkflowRun } from "./schemas.ts";

/*
 * What a report tells of time. Pure: no I/O, no clock.
 */

/** A run, and the latest moment that any of its reports told of; empty: none did. */
export interface ToldRun {
	readonly run: WorkflowRun;
	readonly toldAt: string;
}

/** How far a recorder's clock may be ahead of ours, in milliseconds: it may take another time zone's time for UTC. */
const MAX_AHEAD_MILLISECONDS = 86_400_000;

/** A reported run whose moments all can be. */
export interface CheckedRun extends ToldRun {
	/** For people: what was corrected. Undefined: nothing. */
	readonly warning?: string | undefined;
}

/**
 * Puts the time of receipt in the place of each moment that cannot be: from before 2000, or from more than a day ahead. A
 * clock that is wrong by years says nothing of when, and nothing may be kept or deleted by it. The same report again
 * changes nothing but the moment of an activity, since the earliest start and end count.
 * @param now milliseconds since the epoch
 */
export function checkMoments(run: WorkflowRun, now: number): CheckedRun {
	const received = new Date(now).toISOString();
	const last = new Date(now + MAX_AHEAD_MILLISECONDS).toISOString();
	const isPossible = (moment: string) => moment >= FIRST_MOMENT && moment <= last;
	const moments = momentsOf(run);
	const told = moments.filter(isPossible);
	const toldAt = latestOf(told);
	if (told.length === moments.length) return { run, toldAt };

	const possible = <T extends string | null>(moment: T) => (moment === null || isPossible(moment) ? moment : received);
	const correct = <T extends Pick<WorkflowRun, "startedAt" | "completedAt" | "activity">>(progress: T): T => {
		const { activity } = progress;
		const [startedAt, completedAt] = [possible(progress.startedAt), possible(progress.completedAt)];
		return {
			...progress,
			startedAt: startedAt !== null && completedAt !== null && completedAt < startedAt ? completedAt : startedAt,
			completedAt,
			...(activity && { activity: { ...activity, at: possible(activity.at) } }),
		};
	};
	return { run: { ...correct(run), steps: run.steps.map(correct) }, toldAt, warning: WRONG_CLOCK };
}

const WRONG_CLOCK =
	"moments before 2000 or more than a day ahead: is a clock wrong? The time of receipt was taken for them";
