import type { WorkflowRun, WorkflowRunStatus } from "../protocol/types.ts";
import { axisOf, barOf, type Share } from "./spans.ts";

/** How many lanes are drawn: thinner ones cannot be seen. Of more steps, several share a lane. */
const MAX_LANES = 24;
/** A lone step's bar is not as high as the picture. */
const MIN_LANES = 4;
/** The axis's length in the picture's units. Whole numbers keep a large page small. */
const WIDTH = 1_000;
const MIN_BAR = 6;

/** Drawn in this order: what needs attention lies over what does not. */
const PAINT_ORDER: readonly WorkflowRunStatus[] = ["pending", "cancelled", "completed", "running", "failed"];

/** A run's steps in one small picture: which ran side by side, and which took long. The list of steps says it in words. */
export function Overview({ run, now }: { run: WorkflowRun; now: number }) {
	const axis = axisOf(run, now);
	if (!axis) return null;
	const steps = run.steps.length > 0 ? run.steps : [{ ...run, id: run.id }];
	const lanes = Math.min(steps.length, MAX_LANES);
	const height = Math.max(lanes, MIN_LANES);
	/** The bars of each lane's steps, by status: all of one status in a lane are drawn as one. */
	const bars = new Map<WorkflowRunStatus, Map<number, Share>>();
	for (const [index, step] of steps.entries()) {
		const bar = barOf(step, run, axis, now);
		if (!bar) continue;
		const ofStatus = bars.get(step.status) ?? new Map<number, Share>();
		bars.set(step.status, ofStatus);
		const lane = Math.floor((index * lanes) / steps.length);
		ofStatus.set(lane, joined(ofStatus.get(lane) ?? bar, bar));
	}
	const top = (height - lanes) / 2;
	return (
		<svg class="overview" viewBox={`0 0 ${WIDTH} ${height}`} preserveAspectRatio="none" aria-hidden="true">
			{PAINT_ORDER.flatMap((status) =>
				[...(bars.get(status) ?? [])].map(([lane, bar]) => {
					const width = Math.max(Math.round(bar.length * WIDTH), MIN_BAR);
					const x = Math.min(Math.round(bar.start * WIDTH), WIDTH - width);
					return <rect class={status} x={x} y={top + lane} width={width} />;
				}),
			)}
		</svg>
	);
}

/** From where the first of two begins to where the last ends. */
function joined(a: Share, b: Share): Share {
	const start = Math.min(a.start, b.start);
	return { start, length: Math.max(a.start + a.length, b.start + b.length) - start };
}
