import { follow } from "#client/follow.ts";
import { decodeCursor, positionOf } from "../../workflow-runs/cursor.ts";
import { runElementId } from "../ids.ts";
import { isStatus } from "../status.tsx";
import { type Choice, RUNS_PER_PAGE } from "../view.ts";
import { announceIn } from "./announcer.ts";
import { Board, elementById } from "./board.tsx";
import { serverClock } from "./clock.ts";
import { showState } from "./line-state.ts";

/* Makes the page live. The page is complete without this script. */

const SECOND = 1_000;
const MINUTE = 60_000;

const board = new Board(serverClock(Number(elementById("main").dataset["now"])));
const announce = announceIn(elementById("announcer"));
let choice = readChoice();

const follower = follow(
	(lastEventId, signal) => {
		const headers = lastEventId === undefined ? {} : { "last-event-id": lastEventId };
		return fetch(`/api${location.pathname}/workflow-runs/stream`, { headers, signal, cache: "no-store" });
	},
	{
		onState: showState,
		onChange({ changed, isFirst }) {
			if (!isFirst) announce(changed.filter(({ run, before }) => run.status !== before?.status));
			showSoon();
			if (isFirst) requestAnimationFrame(openNamed);
		},
	},
);

document.addEventListener("click", (event) => {
	const link = event.target instanceof Element && event.target.closest("#filters a, #below a");
	const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
	if (!follower.isLoaded || !isPlain || !(link instanceof HTMLAnchorElement)) return;
	event.preventDefault();
	if (link.rel === "next") return showMore();
	history.pushState(null, "", link.href);
	choice = readChoice();
	show();
});

addEventListener("hashchange", openNamed);

addEventListener("popstate", () => {
	choice = readChoice();
	if (follower.isLoaded) show();
});

const end = new IntersectionObserver(([entry]) => follower.isLoaded && entry?.isIntersecting && showMore(), {
	rootMargin: "1000px",
});

setInterval(() => document.hidden || board.grow(), SECOND);
setInterval(() => board.age(), MINUTE);

/** The filter that the address asks for. */
function readChoice(): Choice {
	const query = new URLSearchParams(location.search);
	const status = query.get("status") ?? "";
	return {
		status: isStatus(status) ? status : null,
		after: decodeCursor(query.get("before") ?? ""),
		limit: RUNS_PER_PAGE,
	};
}

/** Opens the run that the address names, `#run-…`, wherever in the list it is. */
function openNamed(): void {
	const id = location.hash.slice(1);
	const index = follower.runs.findIndex((run) => runElementId(run.id) === id);
	if (index === -1) return;
	if (!document.getElementById(id)) {
		// From the run before it on, whatever the filter: what lies above may be thousands.
		const before = follower.runs[index - 1];
		choice = { status: null, after: before ? positionOf(before) : null, limit: RUNS_PER_PAGE };
		show();
	}
	board.open(id);
}

let isShowing = false;

/** Draws once for all events of the same frame. */
function showSoon(): void {
	if (isShowing) return;
	isShowing = true;
	requestAnimationFrame(() => {
		isShowing = false;
		show();
	});
}

function show(): void {
	board.show(follower.runs, choice);
	// Observing it again makes the browser report again whether the end of the list is in sight.
	end.disconnect();
	if (document.querySelector("#below [rel=next]")) end.observe(elementById("below"));
}

function showMore(): void {
	choice = { ...choice, limit: choice.limit + RUNS_PER_PAGE };
	show();
}
