import type { WorkflowRun } from "../workflow-runs/schemas.ts";
import { ActivityLine, Attempt } from "./activity.tsx";
import { Results } from "./results.tsx";
import { STATUS_WORD, StatusIcon } from "./status.tsx";
import { type Placed, placeSteps } from "./step-tree.ts";
import { axisMarks, describeDuration } from "./time.ts";
import { axisOf, barOf, endOf, lengthOf, type Span, visible } from "./timeline.ts";

/** A run may have 1,000 steps. Beyond this number, only steps that failed or still run are listed. */
const MAX_STEPS = 100;

interface Props {
	readonly run: WorkflowRun;
	readonly now: number;
}

/** A run's steps as bars on a time axis. */
export function Steps({ run, now }: Props) {
	if (run.steps.length === 0) return <p class="none">No steps were reported.</p>;
	const axis = axisOf(run, now);
	const steps = placeSteps(run.steps).filter(
		({ step: { status } }, index) => index < MAX_STEPS || status === "failed" || status === "running",
	);
	const shown = steps.slice(0, 2 * MAX_STEPS);
	const hidden = run.steps.length - shown.length;
	return (
		<div class="steps">
			{axis && <Axis length={axis.to - axis.from} />}
			<ol>
				{shown.map((placed) => (
					<StepRow placed={placed} run={run} axis={axis} now={now} />
				))}
			</ol>
			{hidden > 0 && <p class="none">{hidden} more steps are in the run's JSON.</p>}
		</div>
	);
}

function StepRow({ placed: { step, depth }, run, axis, now }: Props & { placed: Placed; axis: Span | null }) {
	const { id, name, status, error, activity } = step;
	const bar = axis && barOf(step, run, axis, now);
	const length = lengthOf(step, endOf(run, now));
	const { start, length: width } = bar ? visible(bar) : { start: 0, length: 0 };
	return (
		<li class={depth > 0 ? `${status} depth-${depth}` : status}>
			<StatusIcon status={status} />
			<span class="name" title={name === undefined || name === id ? id : `${name} (${id})`}>
				{name ?? id}
				<Attempt of={step} />
			</span>
			{length !== null && <span class="status">{STATUS_WORD[status]}</span>}
			<svg class="track" aria-hidden="true">
				{bar && <rect class={status} x={percent(start)} width={percent(width)} />}
			</svg>
			<span class="duration">{length === null ? STATUS_WORD[status] : describeDuration(length)}</span>
			{(activity || error || step.metrics || step.output !== undefined) && (
				<div class="more-of-step">
					{activity && <ActivityLine activity={activity} />}
					{error && <span class={status === "failed" ? "error" : "past-error"}>{error.message}</span>}
					<Results of={step} />
				</div>
			)}
		</li>
	);
}

/** Lines behind the bars, with the time since the start. */
function Axis({ length }: { length: number }) {
	return (
		<svg class="axis" aria-hidden="true">
			{[0, ...axisMarks(length)].map((mark) => {
				const x = percent(mark / (length || 1));
				return (
					<g>
						<line x1={x} x2={x} y2="100%" />
						<text x={x}>{mark === 0 ? "0" : describeDuration(mark)}</text>
					</g>
				);
			})}
		</svg>
	);
}

/** A share as the value of an SVG attribute. A strict Content-Security-Policy forbids inline styles. */
const percent = (share: number) => `${Math.round(share * 10_000) / 100}%`;
