import type { Status } from "../workflow-runs/schemas.ts";
import { Document } from "./document.tsx";
import { shortId } from "./ids.ts";
import { Below, Filters } from "./parts.tsx";
import { Run } from "./run.tsx";
import { describeMoment, exactMoment } from "./time.ts";
import { openAtFirst, type View } from "./view.ts";

interface Props {
	readonly chatId: string;
	readonly view: View;
	readonly status: Status | null;
	/** Milliseconds since the epoch. */
	readonly now: number;
	/** When the runs were read, in milliseconds since the epoch, if D1 fails and this is a copy. */
	readonly copiedAt: number | null;
}

/** A chat's workflow runs, complete without the script that makes them live. */
export function RunsPage({ chatId, view, status, now, copiedAt }: Props) {
	const opened = openAtFirst(view.runs);
	const path = `/chats/${chatId}`;
	return (
		<Document title="Workflow runs" live>
			<header class="bar">
				<h1>Workflow runs</h1>
				<span class="chat" title={chatId}>
					Chat {shortId(chatId)}
				</span>
				<p id="connection" role="status" hidden />
				<nav aria-label="For developers">
					<a href={`/api${path}/workflow-runs`}>JSON</a> <a href="/docs">API</a>
				</nav>
			</header>
			<main id="main" data-now={now}>
				<noscript>
					<p class="notice">Without JavaScript this page stays as it is. Reload it to see what changed.</p>
				</noscript>
				{copiedAt !== null && <Copy copiedAt={copiedAt} now={now} />}
				<p id="ended" class="notice" role="alert" hidden />
				<p id="announcer" class="visually-hidden" role="status" />
				<Filters view={view} status={status} path={path} />
				<ol id="runs" aria-label="Workflow runs, newest first">
					{view.runs.map((run) => (
						<Run run={run} now={now} open={run === opened} />
					))}
				</ol>
				<Below view={view} status={status} path={path} />
			</main>
		</Document>
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
