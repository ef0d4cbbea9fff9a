import type { WorkflowRun } from "../workflow-runs/schemas.ts";
import { axisOf, barOf } from "./timeline.ts";

/** How many steps are drawn. Each is a lane, and thinner lanes cannot be seen. */
const MAX_LANES = 24;
/** A lone step's bar is not as high as the picture. */
const MIN_LANES = 4;
/** The axis's length in the picture's units. Whole numbers keep a large page small. */
const WIDTH = 1_000;
const MIN_BAR = 6;

/** A run's steps in one small picture: which ran side by side, and which took long. The list of steps says it in words. */
export function Overview({ run, now }: { run: WorkflowRun; now: number }) {
	const axis = axisOf(run, now);
	if (!axis) return null;
	const steps = run.steps.length > 0 ? run.steps.slice(0, MAX_LANES) : [{ ...run, id: run.id }];
	const lanes = Math.max(steps.length, MIN_LANES);
	const top = (lanes - steps.length) / 2;
	return (
		<svg class="overview" viewBox={`0 0 ${WIDTH} ${lanes}`} preserveAspectRatio="none" aria-hidden="true">
			{steps.map((step, lane) => {
				const bar = barOf(step, run, axis, now);
				if (!bar) return null;
				const width = Math.max(Math.round(bar.length * WIDTH), MIN_BAR);
				const x = Math.min(Math.round(bar.start * WIDTH), WIDTH - width);
				return <rect class={step.status} x={x} y={top + lane} width={width} />;
			})}
		</svg>
	);
}
