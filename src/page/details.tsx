import type { WorkflowRun } from "../workflow-runs/schemas.ts";
import { runElementId, shortId } from "./ids.ts";
import { Results } from "./results.tsx";
import { exactMoment } from "./time.ts";

/** All that is known of a run beside its steps. */
export function Details({ run }: { run: WorkflowRun }) {
	return (
		<>
			<Facts run={run} />
			{run.error && <p class="error">{run.error.message}</p>}
			{run.assumed && <p class="none">Nobody reported this end: the service assumed it after a long silence.</p>}
			<Results of={run} />
		</>
	);
}

function Facts({ run }: { run: WorkflowRun }) {
	const { id, chatId, workflowId, startedAt, completedAt, externalId, messageId, parentRunId } = run;
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
			{externalId !== undefined && <dt>Engine's id</dt>}
			{externalId !== undefined && <dd>{externalId}</dd>}
			{messageId !== undefined && <dt>Message</dt>}
			{messageId !== undefined && <dd>{messageId}</dd>}
			{parentRunId !== undefined && <dt>Started by</dt>}
			{parentRunId !== undefined && (
				<dd>
					<a href={`#${runElementId(parentRunId)}`} title={parentRunId}>
						Run {shortId(parentRunId)}
					</a>
				</dd>
			)}
		</dl>
	);
}
