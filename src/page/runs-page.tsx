import type { WorkflowRun } from "#protocol/types.ts";
import { describeMoment, exactMoment } from "#timeline/time.ts";
import { Timeline } from "#timeline/timeline.tsx";
import type { Choice, View } from "#timeline/view.ts";
import { Frame } from "./frame.tsx";

interface Props {
	readonly chatId: string;
	readonly view: View;
	readonly choice: Choice;
	/** Those of the view that this page has. */
	readonly runs: readonly WorkflowRun[];
	/** The cursor of the runs behind them; null if there are none. */
	readonly next: string | null;
	/** Milliseconds since the epoch. */
	readonly now: number;
	/** When the runs were read, in milliseconds since the epoch, if D1 fails and this is a copy. */
	readonly copiedAt: number | null;
}

/** A chat's workflow runs, complete without the script that makes them live. */
export function RunsPage({ chatId, view, choice, runs, next, now, copiedAt }: Props) {
	const path = `/chats/${chatId}`;
	const query = choice.status === null ? "" : `status=${choice.status}&`;
	return (
		<Frame chatId={chatId} title="Workflow runs" json={`/api${path}/workflow-runs`} now={now}>
			{copiedAt !== null && <Copy copiedAt={copiedAt} now={now} />}
			<Timeline
				view={view}
				runs={runs}
				choice={choice}
				viewing={{ now, zone: "UTC", path }}
				next={next && `${path}?${query}before=${next}`}
			/>
		</Frame>
	);
}

function Copy({ copiedAt, now }: { copiedAt: number; now: number }) {
	const at = new Date(copiedAt).toISOString();
	return (
		<p class="notice">
			The database did not answer. These are the runs as they were{" "}
			<time datetime={at} title={exactMoment(at)}>
				{describeMoment(at, now)}
			</time>
			.
		</p>
	);
}
