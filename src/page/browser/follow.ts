import type { WorkflowRun } from "../../workflow-runs/schemas.ts";

/** The state of the connection to the server. */
export type LineState = "live" | "reconnecting";

/** Why the stream has ended for good. */
export type EndReason = "session_ended" | "chat_forbidden" | "chat_deleted";

export interface Listener {
	/** All runs of the chat. */
	snapshot(runs: WorkflowRun[]): void;
	/** A run that is new or changed. */
	run(run: WorkflowRun): void;
	line(state: LineState): void;
	ended(reason: EndReason): void;
}

/** Pauses double up to this, in milliseconds. */
const MAX_WAIT = 30_000;
const MIN_WAIT = 1_000;

/** A page that nobody looks at closes its connection after this, in milliseconds. */
const HIDDEN_WAIT = 60_000;

const REFUSALS: Readonly<Record<number, EndReason>> = {
	401: "session_ended",
	403: "chat_forbidden",
	404: "chat_deleted",
};

/**
 * Follows a chat's workflow runs until the stream has ended for good. EventSource reconnects by itself when the
 * connection drops. When it gets an error status it gives up, and does not say which status it was.
 *
 * @param runsPath the API's path of the chat's runs
 */
export function follow(runsPath: string, listener: Listener): void {
	let source: EventSource | null = null;
	let timer: number | undefined;
	let wait = MIN_WAIT;
	let isOver = false;

	function open(): void {
		clearTimeout(timer);
		if (source || isOver) return;
		source = new EventSource(`${runsPath}/stream`);
		source.addEventListener("open", () => {
			wait = MIN_WAIT;
			listener.line("live");
		});
		source.addEventListener("snapshot", ({ data }) => listener.snapshot(JSON.parse(data).workflowRuns));
		source.addEventListener("run", ({ data }) => listener.run(JSON.parse(data)));
		source.addEventListener("end", ({ data }) => end(JSON.parse(data).reason));
		source.addEventListener("error", () => {
			listener.line("reconnecting");
			if (source?.readyState !== EventSource.CLOSED) return;
			close();
			void comeBack();
		});
	}

	function close(): void {
		source?.close();
		source = null;
	}

	function end(reason: EndReason): void {
		isOver = true;
		close();
		listener.ended(reason);
	}

	async function comeBack(): Promise<void> {
		const status = await fetch(runsPath, { method: "HEAD", cache: "no-store" }).then(
			(response) => response.status,
			() => 0,
		);
		const refusal = REFUSALS[status];
		if (refusal) return end(refusal);
		// With jitter, so that the pages do not all ask a restarted server at once.
		timer = setTimeout(open, wait * (0.5 + Math.random() / 2));
		wait = Math.min(wait * 2, MAX_WAIT);
	}

	document.addEventListener("visibilitychange", () => {
		clearTimeout(timer);
		if (document.hidden) timer = setTimeout(close, HIDDEN_WAIT);
		else open();
	});
	window.addEventListener("online", open);
	// A page in the back/forward cache must not keep a connection open.
	window.addEventListener("pagehide", close);
	window.addEventListener("pageshow", open);
	open();
}
