import type { WorkflowRun } from "../protocol/types.ts";
import { CopyId } from "./copy-id.tsx";
import { ErrorText } from "./error-text.tsx";
import { runElementId, shortId } from "./ids.ts";
import { StartAndEnd } from "./moment.tsx";
import { Results } from "./results.tsx";
import { runPageOf, type Viewing } from "./viewing.ts";

interface Props {
	readonly run: WorkflowRun;
	readonly viewing: Viewing;
}

/** All that is known of a run beside its steps. */
export function Details({ run, viewing }: Props) {
	return (
		<>
			<Facts run={run} viewing={viewing} />
			{run.error && <ErrorText text={run.error.message} kind="error" />}
			{run.assumed && <p class="none">Nobody reported this end: the service assumed it after a long silence.</p>}
			<Results of={run} />
		</>
	);
}

function Facts({ run, viewing }: Props) {
	const { id, workflowId, externalId, messageId, parentRunId } = run;
	const page = runPageOf(viewing, id);
	return (
		<dl class="facts">
			<dt>Run</dt>
			<dd>
				{page === undefined ? (
					id
				) : (
					<a href={page} title="This run's page">
						{id}
					</a>
				)}
				<CopyId what="run's id" />
			</dd>
			<dt>Workflow</dt>
			<dd>
				{workflowId}
				<CopyId what="workflow's id" />
			</dd>
			<StartAndEnd of={run} viewing={viewing} />
			{externalId !== undefined && <dt>Engine's id</dt>}
			{externalId !== undefined && (
				<dd>
					<span dir="auto">{externalId}</span>
					<CopyId what="engine's id" />
				</dd>
			)}
			{messageId !== undefined && <dt>Message</dt>}
			{messageId !== undefined && (
				<dd>
					<span dir="auto">{messageId}</span>
					<CopyId what="message's id" />
				</dd>
			)}
			{parentRunId !== undefined && <dt>Started by</dt>}
			{parentRunId !== undefined && (
				<dd>
					<ParentRun id={parentRunId} viewing={viewing} />
				</dd>
			)}
		</dl>
	);
}

/** Leads to the run that started this one. In an element there is no address to go to: the address is the page's. */
function ParentRun({ id, viewing }: { id: string; viewing: Viewing }) {
	const text = `Run ${shortId(id)}`;
	if (viewing.path === null) {
		return (
			<button type="button" class="plain" data-run={id} title={id}>
				{text}
			</button>
		);
	}
	return (
		<a href={`#${runElementId(id)}`} title={id}>
			{text}
		</a>
	);
}
