import { randomUUID } from "node:crypto";
import { USER } from "../../scripts/seed/rows.ts";
import type { Status, Step, WorkflowRun } from "../../src/workflow-runs/schemas.ts";
import { record, type SiteAddress } from "./site.ts";

/*
 * Chats full of runs, reported over HTTP as an engine would.
 */

export type Report = Omit<WorkflowRun, "chatId">;

/** Registers a chat of the seeded user. */
export async function newChat(site: SiteAddress, userId = USER): Promise<string> {
	const chatId = randomUUID();
	await record(site, "PUT", `/api/chats/${chatId}`, { userId });
	return chatId;
}

/** Reports runs, 100 at a time. */
export async function report(site: SiteAddress, chatId: string, runs: readonly Report[]): Promise<void> {
	for (let i = 0; i < runs.length; i += 100) {
		await record(site, "PATCH", `/api/chats/${chatId}/workflow-runs`, { workflowRuns: runs.slice(i, i + 100) });
	}
}

/** A step by its seconds since the run's start; without an end it still runs, without a start it waits. */
interface Outline {
	name: string;
	from?: number;
	to?: number;
	status?: Status;
	error?: string;
	attempt?: number;
	/** What it is doing now. */
	activity?: string;
}

/** A run that started so many seconds ago (null: not yet), with its steps. */
export function outline(
	status: Status,
	secondsAgo: number | null,
	steps: readonly Outline[],
	error?: string,
	workflowId = WORKFLOWS[0],
): Report {
	const start = Date.now() - (secondsAgo ?? 0) * 1000;
	const at = (seconds: number | undefined) =>
		seconds === undefined ? null : new Date(start + seconds * 1000).toISOString();
	const isDone = status !== "pending" && status !== "running";
	const end = Math.max(0, ...steps.map((step) => step.to ?? 0));
	return {
		id: randomUUID(),
		workflowId: workflowId as string,
		...(names[workflowId as string] && { workflowName: names[workflowId as string] }),
		status,
		startedAt: secondsAgo === null ? null : (at(0) ?? null),
		completedAt: isDone ? (at(end) ?? null) : null,
		...(error !== undefined && { error: { message: error } }),
		steps: steps.map(({ name, from, to, status: given, error: stepError, attempt, activity }, index): Step => {
			const fallback = from === undefined ? "pending" : to === undefined ? "running" : "completed";
			return {
				id: `step-${index + 1}`,
				status: given ?? fallback,
				startedAt: at(from),
				completedAt: at(to),
				...(stepError !== undefined && { error: { message: stepError } }),
				...(attempt !== undefined && { attempt }),
				...(activity !== undefined && { activity: { at: new Date().toISOString(), message: activity } }),
				name,
				position: index + 1,
			};
		}),
	};
}

const WORKFLOWS = ["c2d29867-3d0b-4497-9191-18a9d8ee7830", "8f14e45f-ceea-4167-a5a8-8ad5b3c3d9f2"];
const names: Readonly<Record<string, string>> = {
	[WORKFLOWS[0] as string]: "Research",
	[WORKFLOWS[1] as string]: "Meeting notes",
};

/** What a chat of a research assistant may look like on a working day. */
export function workingDay(): Report[] {
	const other = WORKFLOWS[1] as string;
	return [
		outline(
			"running",
			74,
			[
				{ name: "Plan", from: 0, to: 6.2 },
				{ name: "Search the web", from: 6.3, to: 31 },
				{ name: "Search the knowledge base", from: 6.3, to: 18.4 },
				{ name: "Read 12 sources", from: 31.2, to: 58 },
				{ name: "Draft the answer", from: 58.1, activity: "Writing section 2 of 5" },
				{ name: "Check the citations" },
			],
			undefined,
		),
		outline("pending", null, [{ name: "Transcribe" }, { name: "Summarise" }], undefined, other),
		outline(
			"failed",
			19 * 60,
			[
				{ name: "Plan", from: 0, to: 4.8 },
				{ name: "Search the web", from: 5, to: 17.5 },
				{ name: "Search the knowledge base", from: 5, to: 9.3 },
				{
					name: "Read 9 sources",
					from: 17.6,
					to: 47.6,
					status: "failed",
					attempt: 3,
					error: "The model did not answer within 30 s (request req_7Yq2)",
				},
				{ name: "Draft the answer", to: 47.6, status: "cancelled" },
			],
			"Gave up after 3 attempts",
		),
		outline("completed", 52 * 60, [
			{ name: "Plan", from: 0, to: 5.1 },
			{ name: "Search the web", from: 5.2, to: 26 },
			{ name: "Search the knowledge base", from: 5.2, to: 14.9 },
			{ name: "Read 7 sources", from: 26.1, to: 49 },
			{ name: "Draft the answer", from: 49.1, to: 88 },
			{ name: "Check the citations", from: 88.2, to: 93.6 },
		]),
		outline(
			"completed",
			3 * 3600,
			[
				{ name: "Transcribe", from: 0, to: 412 },
				{ name: "Summarise", from: 412, to: 436 },
				{ name: "Extract the tasks", from: 412, to: 425 },
			],
			undefined,
			other,
		),
		outline("cancelled", 5 * 3600, [
			{ name: "Plan", from: 0, to: 5.5 },
			{ name: "Search the web", from: 5.6, to: 12.2, status: "cancelled" },
			{ name: "Search the knowledge base", from: 5.6, to: 12.2, status: "cancelled" },
		]),
		outline("completed", 26 * 3600, [
			{ name: "Plan", from: 0, to: 3.9 },
			{ name: "Search the web", from: 4, to: 22 },
			{ name: "Draft the answer", from: 22.1, to: 51 },
		]),
		outline("completed", 27 * 3600, [{ name: "Answer from memory", from: 0, to: 2.4 }], undefined, other),
	];
}

/** A great many runs, the first of them the newest. */
export function manyRuns(count: number): Report[] {
	const statuses: Status[] = ["completed", "completed", "completed", "failed", "completed", "cancelled"];
	return Array.from({ length: count }, (_, index) => {
		const status = statuses[index % statuses.length] as Status;
		const slow = 1 + (index % 7);
		return outline(
			status,
			600 + index * 240,
			[
				{ name: "Plan", from: 0, to: 3 },
				{ name: "Search the web", from: 3, to: 3 + slow * 4 },
				{ name: "Search the knowledge base", from: 3, to: 3 + slow * 2 },
				{ name: "Read the sources", from: 3 + slow * 4, to: 10 + slow * 6, status },
				{ name: "Draft the answer", from: 10 + slow * 6, to: 20 + slow * 9 },
			].slice(0, status === "completed" ? 5 : 4),
		);
	});
}
