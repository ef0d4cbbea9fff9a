import { NOT_STORED } from "#protocol/limits.ts";
import { Stop } from "../command-line.ts";
import type { ReportAnswer, Send } from "../send.ts";
import { type Batch, Batches, bodyOf } from "./batches.ts";
import type { Line } from "./lines.ts";
import { type ChatEntry, parseLine, type Refusal } from "./parse.ts";

/** Further refusals are only counted: a file with more of them has one cause for all. */
const MAX_LISTED = 1_000;
/** Chats that are known to be registered. One that has been forgotten is registered again, which changes nothing. */
const MAX_KNOWN_CHATS = 10_000;

/** How far an import is, and the results of its lines. */
export interface Tally {
	/** How far into the file it has read, in bytes. */
	bytes: number;
	/** Lines that were new runs, that were merged into known ones, and that were refused. */
	created: number;
	merged: number;
	refused: number;
	/** Lines of chats alone, without a run. */
	chats: number;
	/** The first refused lines. */
	readonly refusals: Refusal[];
	/** The first sentences about what was left out of lines that are in, and how many there were. */
	readonly leftOut: Refusal[];
	leftOuts: number;
	/** All lines up to this one are done. */
	through: number;
	/** Where an export goes on whose last lines are not there; null: nothing lacks. */
	nextCursor: string | null;
}

/** Of an import that has not begun. */
export const emptyTally = (): Tally => ({
	bytes: 0,
	created: 0,
	merged: 0,
	refused: 0,
	chats: 0,
	refusals: [],
	leftOut: [],
	leftOuts: 0,
	through: 0,
	nextCursor: null,
});

export interface ImportOptions {
	/** How many requests run at once. */
	readonly concurrency: number;
	/** Lines before this one are skipped. */
	readonly fromLine: number;
	/** Whether chats that were deleted are brought back; else their lines are refused. */
	readonly restore: boolean;
	/** Ends the import early: requests under way are finished, and no new one is started. */
	readonly signal: AbortSignal;
}

/**
 * Reports the runs of all lines, each chat registered first. A refused line stops no other.
 * @param tally filled in on the way
 * @throws {Stop} if the service is gone or takes nothing. The tally then says how far the import came
 */
export async function importLines(
	lines: AsyncIterable<Line>,
	send: Send,
	tally: Tally,
	options: ImportOptions,
): Promise<void> {
	const batches = new Batches();
	const running = new Set<Promise<void>>();
	/** The numbers of lines that wait or are under way. A Set keeps the order in which they came: the first is the lowest. */
	const open = new Set<number>();
	let read = 0;
	let failure: unknown;

	const refuse = (refusals: readonly Refusal[]) => {
		tally.refused += refusals.length;
		tally.refusals.push(...refusals.slice(0, MAX_LISTED - tally.refusals.length));
		for (const { line } of refusals) open.delete(line);
	};
	const register = registrar(send, options.restore);

	async function start(begun: Promise<void>): Promise<void> {
		const work = begun.catch((error: unknown) => {
			failure ??= error;
		});
		running.add(work);
		void work.then(() => running.delete(work));
		if (running.size >= options.concurrency) await Promise.race(running);
	}

	async function report(batch: Batch): Promise<void> {
		const refused = await register(batch[0].chatId, batch[0].userId);
		if (refused) return refuse(batch.map(({ line }) => ({ line, reason: reasonOf(refused) })));
		await merge(batch);
	}

	/** A chat without a run: registered, and deleted if it was. What was deleted before stays so. */
	async function settle({ line, chatId, userId, isDeleted }: ChatEntry): Promise<void> {
		let refused = await register(chatId, userId);
		if (isDeleted && (!refused || refused.code === "CHAT_DELETED")) {
			const answer = await send("DELETE", `/api/chats/${chatId}`);
			refused = answer.ok ? null : answer;
		}
		if (refused) return refuse([{ line, reason: reasonOf(refused) }]);
		tally.chats++;
		open.delete(line);
	}

	/** Sends a batch. If it is refused, sends its halves, down to the lines that are wrong. */
	async function merge(batch: Batch): Promise<void> {
		const answer = await send("PATCH", `/api/chats/${batch[0].chatId}/workflow-runs`, bodyOf(batch));
		if (answer.ok) {
			const { created, warnings = [] } = answer.data as { created?: unknown; warnings?: string[] };
			if (!Array.isArray(created)) throw new Stop("The service answers as edge-runs never does: is the address right?");
			const { old = [], leftOut = [] } = Object.groupBy(
				warnings.map((warning) => leftOutOf(batch, warning)),
				({ reason }) => (reason.includes(`: ${NOT_STORED}: `) ? "old" : "leftOut"),
			);
			tally.created += created.length;
			tally.merged += batch.length - created.length - old.length;
			tally.leftOuts += leftOut.length;
			tally.leftOut.push(...leftOut.slice(0, MAX_LISTED - tally.leftOut.length));
			refuse(old);
			for (const { line } of batch) open.delete(line);
		} else if (batch.length === 1 || answer.code === "CHAT_NOT_FOUND") {
			refuse(batch.map(({ line }) => ({ line, reason: reasonOf(answer) })));
		} else {
			const half = batch.length >> 1;
			await merge(batch.slice(0, half) as Batch);
			await merge(batch.slice(half) as Batch);
		}
	}

	for await (const line of lines) {
		if (failure || options.signal.aborted) break;
		read = line.number;
		tally.bytes = line.end;
		const entry = line.number < options.fromLine ? null : parseLine(line);
		if (!entry) continue;
		if ("reason" in entry) {
			refuse([entry]);
			continue;
		}
		if ("nextCursor" in entry) {
			tally.nextCursor = entry.nextCursor;
			continue;
		}
		open.add(entry.line);
		if ("isDeleted" in entry) {
			for (const batch of batches.ofChat(entry)) await start(report(batch));
			// Its runs come first: a deleted chat takes none.
			if (entry.isDeleted) await Promise.all(running);
			if (!failure) await start(settle(entry));
		} else for (const batch of batches.add(entry)) await start(report(batch));
	}
	for (const batch of batches.rest()) {
		if (failure || options.signal.aborted) break;
		await start(report(batch));
	}
	await Promise.all(running);
	const [lowest] = open;
	tally.through = (lowest ?? read + 1) - 1;
	if (failure) throw failure;
}

/** What was left out, by its line. What is said of no place in the batch is said of a run, by its id. */
function leftOutOf(batch: Batch, warning: string): Refusal {
	const [, index, rest] = /^workflowRuns\.(\d+)\.(.*)$/s.exec(warning) ?? [];
	const [, id] = /^Workflow run ([0-9a-f-]{36}): /.exec(warning) ?? [];
	const ofRun = batch.find(({ json }) => id !== undefined && json.toLowerCase().includes(id));
	const entry = batch[Number(index)] ?? ofRun ?? batch[0];
	return { line: entry.line, reason: rest ?? warning };
}

/** Registers each chat once. Resolves with the refusal, or null. */
function registrar(send: Send, restore: boolean): (chatId: string, userId: string) => Promise<ReportAnswer | null> {
	const known = new Map<string, Promise<ReportAnswer | null>>();
	return (chatId, userId) => {
		const key = `${chatId} ${userId}`;
		const before = known.get(key);
		if (before) return before;
		const answered = send("PUT", `/api/chats/${chatId}`, JSON.stringify({ userId, ...(restore && { restore }) })).then(
			(answer) => (answer.ok ? null : answer),
		);
		known.set(key, answered);
		const [oldest] = known.keys();
		if (known.size > MAX_KNOWN_CHATS && oldest !== undefined) known.delete(oldest);
		return answered;
	};
}

/** The reason, with paths as in the line, which holds one run and not a list. */
function reasonOf({ code, message }: ReportAnswer): string {
	return `${code} ${message.replace(/^workflowRuns\.0(\.|: )/, "")}`;
}
