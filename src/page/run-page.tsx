import type { WorkflowRun } from "#protocol/types.ts";
import { Inside, Run, workflowOf } from "#timeline/run.tsx";
import { Frame } from "./frame.tsx";

/** One workflow run, complete without the script that makes it live. */
export function RunPage({ run, now }: { run: WorkflowRun; now: number }) {
	const path = `/chats/${run.chatId}`;
	const viewing = { now, zone: "UTC", path };
	return (
		<Frame
			chatId={run.chatId}
			title={workflowOf(run)}
			json={`/api${path}/workflow-runs/${run.id}`}
			back={path}
			now={now}
			run={run.id}
		>
			<div id="timeline" lang="en" dir="ltr">
				<p id="announcer" class="visually-hidden" role="status" />
				<ol id="runs" aria-label="Workflow run">
					<Run run={run} viewing={viewing} open inside={<Inside run={run} viewing={viewing} />} />
				</ol>
			</div>
		</Frame>
	);
}
