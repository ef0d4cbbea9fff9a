import type { WorkflowRun } from "../protocol/types.ts";
import { ActivityLine, Attempt } from "./activity.tsx";
import { CopyId } from "./copy-id.tsx";
import { ErrorText } from "./error-text.tsx";
import { StartAndEnd } from "./moment.tsx";
import { Results } from "./results.tsx";
import { axisOf, barOf, endOf, lengthOf, type Span, visible } from "./spans.ts";
import { STATUS_WORD, StatusIcon } from "./status.tsx";
import { type Placed, placeSteps } from "./step-tree.ts";
import { axisMarks, describeDuration } from "./time.ts";
import type { Viewing } from "./viewing.ts";

/** A run may have 1,000 steps. Beyond this number, only steps that failed or still run are listed. */
const MAX_STEPS = 100;

interface Props {
	readonly run: WorkflowRun;
	readonly viewing: Viewing;
}

/** A run's steps as bars on a time axis. */
export function Steps({ run, viewing }: Props) {
	const { now } = viewing;
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
					<StepRow placed={placed} run={run} axis={axis} viewing={viewing} />
				))}
			</ol>
			{hidden > 0 && <p class="none">{hidden} more steps are in the run's JSON.</p>}
		</div>
	);
}

function StepRow({ placed: { step, depth }, run, axis, viewing }: Props & { placed: Placed; axis: Span | null }) {
	const { now } = viewing;
	const { id, name, status, error, activity } = step;
	const isOpen = status === "running" && run.completedAt !== null;
	const bar = axis && barOf(step, run, axis, now);
	const length = lengthOf(step, endOf(run, now));
	const { start, length: width } = bar ? visible(bar) : { start: 0, length: 0 };
	return (
		<li class={depth > 0 ? `${status} depth-${depth}` : status}>
			<StatusIcon status={status} />
			<details class="step">
				<summary>
					<span class="name" title={name === undefined || name === id ? id : `${name} (${id})`}>
						<span dir="auto">{name ?? id}</span>
						<Attempt of={step} />
					</span>
				</summary>
				<StepFacts step={step} viewing={viewing} />
			</details>
			{length !== null && <span class="status">{isOpen ? "No end reported" : STATUS_WORD[status]}</span>}
			<svg class="track" aria-hidden="true">
				{bar && <rect class={status} x={percent(start)} width={percent(width)} />}
			</svg>
			<span class="duration">{length === null ? STATUS_WORD[status] : describeDuration(length)}</span>
			{(activity || error || step.metrics || step.output !== undefined) && (
				<div class="more-of-step">
					{activity && <ActivityLine activity={activity} />}
					{error && <ErrorText text={error.message} kind={status === "failed" ? "error" : "past-error"} />}
					<Results of={step} />
				</div>
			)}
		</li>
	);
}

/** What a step's line has no room for. */
function StepFacts({ step, viewing }: Pick<Props, "viewing"> & Pick<Placed, "step">) {
	return (
		<dl class="facts">
			<dt>Step</dt>
			<dd>
				<span dir="auto">{step.id}</span>
				<CopyId what="step's id" />
			</dd>
			<StartAndEnd of={step} viewing={viewing} />
		</dl>
	);
}

/** Where the axis has no room beside it, the text of a mark behind this share of it would be cut off. */
const LATE = 0.8;

/** Lines behind the bars, with the time since the start. */
function Axis({ length }: { length: number }) {
	return (
		<svg class="axis" aria-hidden="true">
			{[0, ...axisMarks(length)].map((mark) => {
				const share = mark / (length || 1);
				const x = percent(share);
				return (
					<g class={share > LATE ? "late" : undefined}>
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
