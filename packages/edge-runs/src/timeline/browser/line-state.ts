import type { EndReason, LineState, LossReason } from "../../client/state.ts";
import { elementById, type Root } from "./dom.ts";

const LOST: Readonly<Record<LossReason, string>> = {
	no_answer: "The service does not answer",
	offline: "This device is offline",
	silent: "Nothing was heard for 45 seconds",
	closed: "The line was closed",
	refused: "The service is busy",
	unexpected: "Something other than the service answered, such as a network's sign-in page",
	hidden: "Nobody looks at this page",
};

/** What is said of a line that has ended for good. */
export type EndTexts = Readonly<Record<EndReason, string>>;

/**
 * Says whether what is shown is still up to date, in `#connection` and `#ended`.
 * @param texts where nothing is to be said of an end, its text is empty
 */
export function showState(root: Root, state: LineState, texts: EndTexts): void {
	const line = elementById(root, "connection");
	line.className = state.status;
	line.textContent = wordFor(state);
	line.title = state.status === "reconnecting" ? LOST[state.reason] : "";
	line.hidden = false;
	const notice = elementById(root, "ended");
	const text = state.status === "ended" ? texts[state.reason] : "";
	if (notice.textContent !== text) notice.textContent = text;
	notice.hidden = text === "";
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
