import { describeDuration, describeMoment } from "#timeline/time.ts";
import type { ChatLook, RunLook, UserLook } from "../../src/admin/schemas.ts";
import { count, fields, moment, named, notes, number, printable, sum, table } from "./text.ts";

/* What an operator is shown, as lines. Pure: `now` is in milliseconds since the epoch. */

/** As on the page: a run may be busy for long with one step. In milliseconds. */
const SILENT_AFTER = 3_600_000;

const isOpen = ({ status }: { status: string }) => status === "pending" || status === "running";

const describeRuns = ({ byStatus, isCapped }: { byStatus: Readonly<Record<string, number>>; isCapped: boolean }) =>
	[count(sum(byStatus), "run", isCapped), named(byStatus)].filter(Boolean).join(": ");

export function describeChat({ chat, runs, hub, cachedCopy }: ChatLook["data"], now: number): string[] {
	const active = runs.latest.find(isOpen);
	const isErased = chat.userId === null;
	return [
		`Chat ${chat.id}`,
		...fields([
			["owner", chat.userId ?? "nobody"],
			["registered", !isErased && moment(chat.createdAt, now)],
			[isErased ? "erased" : "deleted", chat.deletedAt === null ? "no" : moment(chat.deletedAt, now)],
			["runs", describeRuns(runs)],
			["started", runs.oldestStart && `${runs.oldestStart} to ${runs.newestStart}`],
			["history", chat.historyBytes === null ? "not counted yet" : `${number(chat.historyBytes)} bytes`],
			["change", `${chat.change}; streams go on from change ${chat.floor} or later`],
			["hub", hub.watchers === null ? hub.state : `${hub.state}, ${count(hub.watchers, "stream")} open`],
			["copy here", cachedCopy ? describeCopy(cachedCopy, now) : "none"],
		]),
		...table(
			"Changed last",
			runs.latest.map((run) => [
				run.id,
				run.status,
				run.completedAt ?? run.startedAt ?? run.createdAt,
				`change ${run.change}`,
				run.heardAt === null ? "" : `reported ${describeMoment(run.heardAt, now)}`,
			]),
		),
		...notes(
			isErased && "It was erased: nothing of it is left, and no report or registration brings it back.",
			chat.deletedAt !== null &&
				!isErased &&
				"It is deleted: its owner gets a 404. To bring it back with its runs, register it with restore: true.",
			active && chat.deletedAt === null && `What it waits for: npm run admin -- run ${active.id}`,
			hub.state === "failing" &&
				"Its hub does not answer: requests write by themselves, more slowly, and streams look once a minute.",
			cachedCopy?.isCurrent === false &&
				"The copy is older than the chat. It is served for FRESH_SECONDS at most, and longer only while D1 fails.",
		),
	];
}

function describeCopy(copy: NonNullable<ChatLook["data"]["cachedCopy"]>, now: number): string {
	const age = describeDuration(Math.max(0, now - Date.parse(copy.confirmedAt)));
	return `${copy.isCurrent ? "current" : `of change ${copy.change}`}, ${number(copy.bytes)} bytes, confirmed ${age} ago`;
}

export function describeRun({ workflowRun: run }: RunLook["data"], now: number): string[] {
	const { steps, lastNewsAt } = run;
	const silence = now - Date.parse(lastNewsAt ?? run.createdAt);
	const isHeard = run.heardAt !== null && now - Date.parse(run.heardAt) < SILENT_AFTER;
	const isWaiting = run.isWaiting || steps.open.some((step) => step.isWaiting);
	return [
		`Run ${run.id}`,
		...fields([
			["status", `${run.status}${run.assumed ? ", assumed" : ""}${run.attempt ? `, attempt ${run.attempt}` : ""}`],
			["error", run.error?.message],
			["workflow", run.workflowName ? `${run.workflowName} (${run.workflowId})` : run.workflowId],
			["engine's id", run.externalId],
			["started by", run.parentRunId && `run ${run.parentRunId}`],
			["chat", `${run.chatId}${run.chatDeletedAt === null ? "" : `, deleted ${moment(run.chatDeletedAt, now)}`}`],
			["owner", run.userId],
			["first report", moment(run.createdAt, now)],
			["started", run.startedAt === null ? "not yet" : moment(run.startedAt, now)],
			["ended", run.completedAt === null ? "not yet" : moment(run.completedAt, now)],
			["last news", lastNewsAt === null ? "none" : moment(lastNewsAt, now)],
			["last report", run.heardAt && moment(run.heardAt, now)],
			["steps", [number(sum(steps.byStatus)), named(steps.byStatus)].filter(Boolean).join(": ")],
			["size", `${number(run.bytes)} bytes`],
			["change", `${run.change} of its chat`],
		]),
		...table(
			"Steps that have not ended",
			steps.open.map((step) => [
				step.id,
				step.status,
				step.startedAt === null ? "" : `since ${moment(step.startedAt, now)}`,
				step.isWaiting ? "waits for somebody" : "",
			]),
		),
		...notes(
			run.chatDeletedAt !== null && "Its chat is deleted: its owner sees no run of it.",
			isWaiting && "It waits for somebody, as for an approval.",
			isOpen(run) &&
				!isWaiting &&
				silence >= SILENT_AFTER &&
				`No news for ${describeDuration(silence)}: ${isHeard ? "its engine still reports it, so what it does takes long" : "the engine has stopped, or its reports do not arrive"}. Ask the engine${run.externalId ? ` about ${run.externalId}` : ""}.`,
			run.assumed && "Nobody reported its end: the service gave it up. A report that comes all the same replaces that.",
		),
	];
}

export function describeUser({ user }: UserLook["data"], now: number): string[] {
	const { id, chats, runs } = user;
	return [
		`User ${printable(id)}`,
		...fields([
			["chats", `${count(chats.live, "chat", chats.isCapped)}, and ${number(chats.deleted)} deleted`],
			["runs", describeRuns(runs)],
		]),
		...table(
			"Newest chats",
			chats.latest.map((chat) => [
				chat.id,
				`registered ${moment(chat.createdAt, now)}`,
				chat.deletedAt === null ? "" : `deleted ${moment(chat.deletedAt, now)}`,
			]),
		),
		...table(
			"Newest runs",
			runs.latest.map((run) => [run.id, `chat ${run.chatId}`, run.status, run.startedAt ?? "not yet started"]),
		),
		...notes(chats.live === 0 && "All chats of this user are deleted: the user sees none."),
	];
}
