import type { WorkflowRun } from "../protocol/types.ts";

type Activity = NonNullable<WorkflowRun["activity"]>;

/** What a run or step is doing now, how far it is, and whether it waits for somebody. */
export function ActivityLine({ activity: { message, waiting, progress } }: { activity: Activity }) {
	return (
		<span class={waiting ? "activity waiting" : "activity"}>
			{waiting && <span class="badge">Waiting</span>}
			<span class="message" dir="auto">
				{message}
			</span>
			{progress !== undefined && (
				<span class="progress">
					<progress value={progress} max={1} aria-label="Progress" /> {Math.round(progress * 100)} %
				</span>
			)}
		</span>
	);
}

/** Which try it is, from the second on. */
export function Attempt({ of: { attempt = 1 } }: { of: { attempt?: number | undefined } }) {
	return attempt > 1 ? <span class="attempt">Attempt {attempt}</span> : null;
}
