import type { EndReason, LineState, LossReason } from "#client/state.ts";
import { elementById } from "./board.tsx";

const LOST: Readonly<Record<LossReason, string>> = {
	no_answer: "The service does not answer",
	offline: "This device is offline",
	silent: "Nothing was heard for 45 seconds",
	closed: "The line was closed",
	refused: "The service is busy",
	unexpected: "Something other than the service answered, such as a network's sign-in page",
	hidden: "Nobody looks at this page",
};

const ENDED: Readonly<Record<EndReason, string>> = {
	session_ended: "You are signed out, so what is below no longer changes. Sign in again, then reload this page.",
	chat_forbidden: "This chat belongs to someone else now, so what is below no longer changes.",
	chat_deleted: "This chat was deleted, so what is below no longer changes.",
	refused: "The service no longer answers this page, so what is below no longer changes. Reload it to try again.",
	// Of a stream that this page does not follow, and of a close that it does not ask for.
	run_ended: "",
	stopped: "",
};

/** Says whether what the page shows is still up to date. */
export function showState(state: LineState): void {
	const line = elementById("connection");
	line.className = state.status;
	line.textContent = wordFor(state);
	line.title = state.status === "reconnecting" ? LOST[state.reason] : "";
	line.hidden = false;
	if (state.status !== "ended") return;
	const notice = elementById("ended");
	notice.textContent = ENDED[state.reason];
	notice.hidden = false;
}

function wordFor(state: LineState): string {
	switch (state.status) {
		case "connecting":
			return "Connecting…";
		case "live":
			return "Live";
		case "reconnecting":
			return state.reason === "offline" ? "Offline" : "Reconnecting…";
		case "ended":
			return "Ended";
	}
}
