import type { WorkflowRun } from "../workflow-runs/schemas.ts";
import { Moment } from "./moment.tsx";
import { Overview } from "./overview.tsx";
import { STATUS_WORD, StatusIcon } from "./status.tsx";
import { Steps } from "./steps.tsx";
import { describeDuration, exactMoment } from "./time.ts";
import { lengthOf } from "./timeline.ts";

/*
 * The server renders these components to HTML, and the browser to DOM nodes: one markup for both.
 * Anybody may have written step names, errors and ids. So they are only used as text, never as markup.
 */

interface Props {
	readonly run: WorkflowRun;
	/** Milliseconds since the epoch. */
	readonly now: number;
	/** Whether the steps show at first. */
	readonly open: boolean;
}

/** A run in the list: its state in one line, and its steps below. */
export function Run({ run, now, open }: Props) {
	const { id, workflowId, status, startedAt } = run;
	const length = lengthOf(run, now);
	return (
		<li class={`run ${status}`} id={runElementId(id)}>
			<details open={open}>
				<summary>
					<StatusIcon status={status} />
					<span class="what">
						<span class="workflow" title={workflowId}>
							Workflow {shortId(workflowId)}
						</span>{" "}
						<span class="status">{STATUS_WORD[status]}</span>
					</span>
					<span class="which">
						<span title={id}>Run {shortId(id)} · </span>
						{countSteps(run)} · {startedAt === null ? "not started yet" : <Moment at={startedAt} now={now} />}
					</span>
					<Overview run={run} now={now} />
					<span class="duration">{length === null ? "" : describeDuration(length)}</span>
					{brief(run)}
				</summary>
				<div class="inside">
					<Facts run={run} />
					{run.error && <p class="error">{run.error.message}</p>}
					<Steps run={run} now={now} />
				</div>
			</details>
		</li>
	);
}

/** The error in the line that always shows. The first failed step's is the most exact. */
function brief({ steps, error }: WorkflowRun) {
	const step = steps.find((each) => each.status === "failed" && each.error);
	const text = step?.error ? `${step.name ?? step.id}: ${step.error.message}` : error?.message;
	return text === undefined ? null : <span class="error">{text}</span>;
}

function Facts({ run }: { run: WorkflowRun }) {
	const { id, chatId, workflowId, startedAt, completedAt } = run;
	return (
		<dl class="facts">
			<dt>Run</dt>
			<dd>
				<a href={`/api/chats/${chatId}/workflow-runs/${id}`} title="This run as JSON">
					{id}
				</a>
			</dd>
			<dt>Workflow</dt>
			<dd>{workflowId}</dd>
			<dt>Started</dt>
			<dd>{startedAt === null ? "–" : exactMoment(startedAt)}</dd>
			<dt>Ended</dt>
			<dd>{completedAt === null ? "–" : exactMoment(completedAt)}</dd>
		</dl>
	);
}

function countSteps({ status, steps }: WorkflowRun): string {
	const noun = steps.length === 1 ? "step" : "steps";
	if (status !== "running") return `${steps.length} ${noun}`;
	const done = steps.filter((step) => step.completedAt !== null).length;
	return `${done} of ${steps.length} ${noun} done`;
}

/** The id of a run's element. */
export const runElementId = (runId: string) => `run-${runId}`;

/** The first group of a UUID: enough to tell ids apart by eye. */
export const shortId = (id: string) => id.slice(0, 8);
