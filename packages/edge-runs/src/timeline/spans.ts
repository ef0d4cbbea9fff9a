import type { WorkflowRun, WorkflowRunStep } from "../protocol/types.ts";

/*
 * Where a run and its steps lie in time. Pure: `now` is in milliseconds since the epoch.
 */

/** From and to, in milliseconds since the epoch. */
export interface Span {
	readonly from: number;
	readonly to: number;
}

/** When something ran: up to now if it still runs. Null if it never started. */
function spanOf(
	{ startedAt, completedAt }: Pick<WorkflowRunStep, "startedAt" | "completedAt">,
	now: number,
): Span | null {
	if (startedAt === null) return null;
	const from = Date.parse(startedAt);
	// If clocks disagree, now may be before the start.
	return { from, to: Math.max(from, completedAt === null ? now : Date.parse(completedAt)) };
}

/** How long something ran, in milliseconds. Null if it never started. */
export function lengthOf(progress: Pick<WorkflowRunStep, "startedAt" | "completedAt">, now: number): number | null {
	const span = spanOf(progress, now);
	return span && span.to - span.from;
}

/** A run's time axis: long enough for the run and for each of its steps. Null if nothing started. */
export function axisOf(run: WorkflowRun, now: number): Span | null {
	const until = endOf(run, now);
	const spans = [run, ...run.steps].flatMap((progress) => spanOf(progress, until) ?? []);
	if (spans.length === 0) return null;
	return {
		from: spans.reduce((earliest, { from }) => Math.min(earliest, from), Number.POSITIVE_INFINITY),
		to: spans.reduce((latest, { to }) => Math.max(latest, to), Number.NEGATIVE_INFINITY),
	};
}

/** The end of a step's bar if the step's end was never reported: the run's end, or now. */
export function endOf(run: WorkflowRun, now: number): number {
	return run.completedAt === null ? now : Date.parse(run.completedAt);
}

/** A share of an axis, from 0 to 1. */
export interface Share {
	readonly start: number;
	readonly length: number;
}

/** A step's bar on the axis. Null if the step never started. */
export function barOf(step: WorkflowRunStep, run: WorkflowRun, axis: Span, now: number): Share | null {
	const span = spanOf(step, endOf(run, now));
	if (!span) return null;
	const length = axis.to - axis.from || 1;
	return { start: (span.from - axis.from) / length, length: (span.to - span.from) / length };
}

/** A bar of no width is not drawn at all, and a step of a second in a run of a day has next to none. */
const MIN_SHARE = 0.005;

/** A bar as wide as it must be to be seen, and still on its axis. */
export function visible({ start, length }: Share): Share {
	const width = Math.max(length, MIN_SHARE);
	return { start: Math.min(start, 1 - width), length: width };
}
