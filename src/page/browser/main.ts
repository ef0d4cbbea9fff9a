import { follow } from "#client/follow.ts";
import { serverClock } from "#timeline/browser/clock.ts";
import { elementById } from "#timeline/browser/dom.ts";
import { type EndTexts, showState } from "#timeline/browser/line-state.ts";
import { LiveTimeline } from "#timeline/browser/live.ts";
import { isStatus } from "#timeline/status.tsx";
import { zonedMoment } from "#timeline/time.ts";
import type { Choice } from "#timeline/view.ts";
import { decodeCursor, orderedAt } from "../../workflow-runs/cursor.ts";

/* Makes a page live: a chat's runs, or one run. The page is complete without this script. */

const ENDED: EndTexts = {
	session_ended: "You are signed out, so what is below no longer changes. Sign in again, then reload this page.",
	chat_forbidden: "This chat belongs to someone else now, so what is below no longer changes.",
	chat_deleted: "This chat was deleted, so what is below no longer changes.",
	refused: "The service no longer answers this page, so what is below no longer changes. Reload it to try again.",
	// A run's page has nothing to say of it; a close is not asked for.
	run_ended: "",
	stopped: "",
};

const { now: answeredAt, run } = elementById(document, "main").dataset;
const clock = serverClock(Number(answeredAt));
const { timeZone: zone } = new Intl.DateTimeFormat().resolvedOptions();
const [, path = ""] = /^(\/chats\/[^/]+)/.exec(location.pathname) ?? [];
const stream = run === undefined ? "stream" : `${run}/stream`;

// The server does not know the reader's zone.
for (const time of document.querySelectorAll<HTMLTimeElement>("time.zoned")) {
	const text = zonedMoment(time.dateTime, zone);
	if (time.textContent !== text) time.textContent = text;
}

const follower = follow(
	(lastEventId, signal) => {
		const headers = lastEventId === undefined ? {} : { "last-event-id": lastEventId };
		return fetch(`/api${path}/workflow-runs/${stream}`, { headers, signal, cache: "no-store" });
	},
	{ onState: (state) => showState(document, state, ENDED) },
);

const timeline = new LiveTimeline(document, follower, {
	viewing: () => ({ now: clock(), zone, path }),
	choice: readChoice(),
	onLoad: openNamed,
});

document.addEventListener("click", (event) => {
	const link = event.target instanceof Element && event.target.closest("#filters a, #below a");
	const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
	if (!follower.isLoaded || !isPlain || !(link instanceof HTMLAnchorElement)) return;
	event.preventDefault();
	history.pushState(null, "", link.href);
	timeline.choose({ ...readChoice(), search: link.closest("#below") ? "" : timeline.choice.search });
});

addEventListener("hashchange", openNamed);
addEventListener("popstate", () => timeline.choose({ ...readChoice(), search: timeline.choice.search }));

/** The filter that the address asks for. */
function readChoice(): Choice {
	const query = new URLSearchParams(location.search);
	const status = query.get("status") ?? "";
	const position = decodeCursor(query.get("before") ?? "");
	return { status: isStatus(status) ? status : null, after: position && orderedAt(position), search: "" };
}

/** Opens the run that the address names, `#run-…`, wherever in the list it is. */
function openNamed(): void {
	if (location.hash.startsWith("#run-")) timeline.open(location.hash.slice("#run-".length));
}
