import { cutText } from "../protocol/text.ts";
import type { WorkflowRun } from "../protocol/types.ts";
import { ActivityLine, Attempt } from "./activity.tsx";
import { Details } from "./details.tsx";
import { runElementId, shortId } from "./ids.ts";
import { Moment } from "./moment.tsx";
import { Overview } from "./overview.tsx";
import { silenceOf } from "./silence.ts";
import { lengthOf } from "./spans.ts";
import { STATUS_WORD, StatusIcon } from "./status.tsx";
import { Steps } from "./steps.tsx";
import { describeDuration } from "./time.ts";
import { runPageOf, type Viewing } from "./viewing.ts";

/*
 * The server renders these components to HTML, and the browser to DOM nodes: one markup for both.
 * Anybody may have written names, errors, outputs and ids. So they are only used as text, never as markup.
 */

interface Props {
	readonly run: WorkflowRun;
	readonly viewing: Viewing;
	/** Whether the steps show at first. */
	readonly open: boolean;
	/** Its `Inside`; null: of runs that nobody has opened it may be left out, which keeps a page small. */
	readonly inside: ReturnType<typeof Inside> | null;
	/** Which of how many it is, from 1, where the document holds only a part of the list: screen readers count what is there. */
	readonly place?: readonly [at: number, of: number] | null;
}

/** A run in the list: its state in one line, and its steps below. */
export function Run({ run, viewing, open, inside, place }: Props) {
	const { now } = viewing;
	const { id, workflowId, status, startedAt, activity } = run;
	const length = lengthOf(run, now);
	const silence = silenceOf(run, now);
	return (
		<li
			class={`run ${status}`}
			id={runElementId(id)}
			part={`run ${status}`}
			aria-posinset={place?.[0]}
			aria-setsize={place?.[1]}
		>
			<details open={open}>
				<summary>
					<StatusIcon status={status} />
					<span class="what">
						<span class="workflow" dir="auto" title={workflowId}>
							{workflowOf(run)}
						</span>{" "}
						<span class="status">{STATUS_WORD[status]}</span>
						<Attempt of={run} />
						{silence !== null && <span class="silent">No news for {describeDuration(silence)}</span>}
					</span>
					<span class="which">
						<span title={id}>Run {shortId(id)} · </span>
						{countSteps(run)} · {startedAt === null ? "not started yet" : <Moment at={startedAt} now={now} />}
					</span>
					<Overview run={run} now={now} />
					<span class="duration">{length === null ? "" : describeDuration(length)}</span>
					{activity && <ActivityLine activity={activity} />}
					{brief(run)}
				</summary>
				{inside ?? <NotDrawn run={run} viewing={viewing} />}
			</details>
		</li>
	);
}

/** What is known of a run. */
export function Inside({ run, viewing }: Pick<Props, "run" | "viewing">) {
	return (
		<div class="inside">
			<Details run={run} viewing={viewing} />
			<Steps run={run} viewing={viewing} />
		</div>
	);
}

/** Stands for the inside until the script draws it; without a script its link leads there. */
function NotDrawn({ run: { id }, viewing }: Pick<Props, "run" | "viewing">) {
	const page = runPageOf(viewing, id);
	return (
		<div class="inside" data-not-drawn>
			{page && (
				<p class="none">
					<a href={page}>Steps and details</a>
				</p>
			)}
		</div>
	);
}

/** The workflow's name, or else the beginning of its id. */
export const workflowOf = ({ workflowName, workflowId }: WorkflowRun) =>
	workflowName ?? `Workflow ${shortId(workflowId)}`;

/** More of an error than a line has room for, in characters. */
const MAX_BRIEF = 200;

/**
 * The error in the line that always shows, of a run that failed. The first failed step's is the most exact. A run that
 * did not fail may have steps that did, and were tried again: that is not what came of it.
 */
function brief({ status, steps, error }: WorkflowRun) {
	if (status !== "failed") return null;
	const step = steps.find((each) => each.status === "failed" && each.error);
	const text = step?.error ? `${step.name ?? step.id}: ${step.error.message}` : error?.message;
	return text === undefined ? null : (
		<span class="error" dir="auto">
			{cutText(text, MAX_BRIEF)}
		</span>
	);
}

function countSteps({ status, steps }: WorkflowRun): string {
	if (steps.length === 0) return status === "running" ? "no steps yet" : "no steps";
	const noun = steps.length === 1 ? "step" : "steps";
	if (status !== "running") return `${steps.length} ${noun}`;
	const done = steps.filter((step) => step.completedAt !== null).length;
	return `${done} of ${steps.length} ${noun} done`;
}
