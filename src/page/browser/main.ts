import { decodeCursor } from "../../workflow-runs/cursor.ts";
import { isStatus } from "../status.tsx";
import { type Choice, RUNS_PER_PAGE } from "../view.ts";
import { announceIn } from "./announcer.ts";
import { Board, elementById } from "./board.tsx";
import { serverClock } from "./clock.ts";
import { type EndReason, follow } from "./follow.ts";
import { Runs } from "./runs.ts";

/* Makes the page live. The page is complete without this script. */

const SECOND = 1_000;
const MINUTE = 60_000;

const ENDED: Readonly<Record<EndReason, string>> = {
	session_ended: "You are signed out, so what is below no longer changes. Sign in again, then reload this page.",
	chat_forbidden: "This chat belongs to someone else now, so what is below no longer changes.",
	chat_deleted: "This chat was deleted, so what is below no longer changes.",
};

const runs = new Runs();
const board = new Board(serverClock(Number(elementById("main").dataset["now"])));
const announce = announceIn(elementById("announcer"));
let choice = readChoice();
/** Whether the script has all runs. Until then links load a new page. */
let isReady = false;

follow(`/api${location.pathname}/workflow-runs`, {
	snapshot(all) {
		const changes = runs.replace(all);
		if (isReady) announce(changes);
		isReady = true;
		showSoon();
	},
	run(run) {
		announce(runs.put(run));
		showSoon();
	},
	line(state) {
		showLine(state, state === "live" ? "Live" : "Reconnecting…");
	},
	ended(reason) {
		const notice = elementById("ended");
		notice.textContent = ENDED[reason];
		notice.hidden = false;
		showLine("ended", "Ended");
	},
});

document.addEventListener("click", (event) => {
	const link = event.target instanceof Element && event.target.closest("#filters a, #below a");
	const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
	if (!isReady || !isPlain || !(link instanceof HTMLAnchorElement)) return;
	event.preventDefault();
	if (link.rel === "next") return showMore();
	history.pushState(null, "", link.href);
	choice = readChoice();
	show();
});

addEventListener("popstate", () => {
	choice = readChoice();
	if (isReady) show();
});

const end = new IntersectionObserver(([entry]) => isReady && entry?.isIntersecting && showMore(), {
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
	board.show(runs.ordered, choice);
	// Observing it again makes the browser report again whether the end of the list is in sight.
	end.disconnect();
	if (document.querySelector("#below [rel=next]")) end.observe(elementById("below"));
}

function showMore(): void {
	choice = { ...choice, limit: choice.limit + RUNS_PER_PAGE };
	show();
}

function showLine(state: string, text: string): void {
	const line = elementById("connection");
	line.className = state;
	line.textContent = text;
	line.hidden = false;
}
