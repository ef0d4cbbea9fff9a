import type { WorkflowRun } from "../../workflow-runs/schemas.ts";

/** What became of the line to the server. */
export type LineState = "live" | "reconnecting";

/** Why there is no use in coming back: the stream's reasons. */
export type EndReason = "session_ended" | "chat_forbidden" | "chat_deleted";

export interface Listener {
	/** All runs of the chat. */
	snapshot(runs: WorkflowRun[]): void;
	/** A run that is new or changed. */
	run(run: WorkflowRun): void;
	line(state: LineState): void;
	ended(reason: EndReason): void;
}

/** Waits double up to this, in milliseconds. */
const MAX_WAIT = 30_000;
const MIN_WAIT = 1_000;

/** A page that nobody looks at lets go of its line after this, in milliseconds. */
const HIDDEN_WAIT = 60_000;

const REFUSALS: Readonly<Record<number, EndReason>> = {
	401: "session_ended",
	403: "chat_forbidden",
	404: "chat_deleted",
};

/**
 * Follows a chat's workflow runs until there is no use in it. EventSource comes back by itself when a line drops,
 * but gives up when it is answered with an error, and does not say which.
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
		// With jitter, so that all the pages of a server that comes back do not ask it at once.
		timer = setTimeout(open, wait * (0.5 + Math.random() / 2));
		wait = Math.min(wait * 2, MAX_WAIT);
	}

	document.addEventListener("visibilitychange", () => {
		clearTimeout(timer);
		if (document.hidden) timer = setTimeout(close, HIDDEN_WAIT);
		else open();
	});
	window.addEventListener("online", open);
	// A page that is kept to be gone back to must not hold a line.
	window.addEventListener("pagehide", close);
	window.addEventListener("pageshow", open);
	open();
}
