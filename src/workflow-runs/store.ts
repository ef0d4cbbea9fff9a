import { and, eq, getTableColumns, inArray, sql } from "drizzle-orm";
import { among } from "../db/among.ts";
import { type Change, toChange } from "../db/change.ts";
import { drizzleOver } from "../db/drizzle.ts";
import { runBytes } from "../db/history-bytes.ts";
import { chats, workflowRuns } from "../db/schema.ts";
import { ConflictError } from "../db/write.ts";
import { ServiceError } from "../errors.ts";
import { isLongAgo } from "./heard.ts";
import { detailsJson } from "./json.ts";
import { parseRow, type StoredRun, toRow } from "./row.ts";
import { isTerminal } from "./schemas.ts";
import type { ToldRun } from "./told.ts";
import { guardStatement, progressStatement, runStatement } from "./write-statements.ts";

/** What one report may read of stored runs, in bytes. They are parsed, merged and written in an isolate of 128 MB. */
const MAX_READ_BYTES = 8_000_000;

/** Up to this number of runs cannot take more than that. */
const MAX_UNMEASURED = 6;

/**
 * The named runs, even if they belong to another chat.
 * @throws {ServiceError} CHAT_NOT_FOUND if this chat is gone, REPORT_TOO_LARGE if the runs are too large to read together
 */
export async function readStored(
	session: D1DatabaseSession,
	chatId: string,
	runIds: readonly string[],
): Promise<Map<string, StoredRun>> {
	const db = drizzleOver(session);
	// One parameter for all ids, since D1 takes at most 100 parameters.
	const isNamed = inArray(workflowRuns.id, among(runIds));
	const all = db
		.select({ bytes: sql`ifnull(sum(${runBytes}), 0)` })
		.from(workflowRuns)
		.where(isNamed);
	const bytes = runIds.length <= MAX_UNMEASURED ? sql<number>`0` : sql<number>`(${all})`;
	const [[chat], rows] = await db.batch([
		db
			.select({ deletedAt: chats.deletedAt, bytes: bytes.as("bytes") })
			.from(chats)
			.where(eq(chats.id, chatId)),
		db
			.select({ ...getTableColumns(workflowRuns), details: detailsJson })
			.from(workflowRuns)
			.where(and(isNamed, sql`${bytes} <= ${MAX_READ_BYTES}`)),
	]);
	if (!chat || chat.deletedAt !== null) throw new ServiceError("CHAT_NOT_FOUND");
	if (chat.bytes > MAX_READ_BYTES) {
		const why = `what is stored of these runs takes ${chat.bytes} bytes, and ${MAX_READ_BYTES} is the most for one report`;
		throw new ServiceError("REPORT_TOO_LARGE", `workflowRuns: ${why}: send fewer runs at once`);
	}
	return new Map(rows.map((row) => [row.id, parseRow(row)]));
}

/** What a write did: the chat's change, and the runs as they are stored now. */
export interface WrittenRuns extends Change {
	readonly runs: readonly StoredRun[];
}

/** What a write takes. */
export interface Writing {
	readonly changed: readonly ToldRun[];
	/**
	 * The ids of all runs that the merge built on: the write is guarded by their revisions. Those that stay the same are
	 * among them, as they are answered with, too.
	 */
	readonly ids: readonly string[];
	/** Those of them that are stored. */
	readonly stored: ReadonlyMap<string, StoredRun>;
	/** How many bytes the runs take more than before. */
	readonly growth: number;
	/** Of the chat's history. Infinity: there is no limit. */
	readonly maxBytes: number;
	/** Milliseconds since the epoch. */
	readonly now: number;
}

/**
 * Writes changed runs and gives the chat a new revision and change number, in one batch: a transaction.
 * @throws {ConflictError} if a run has changed since it was read, or the chat is gone
 * @throws {HistoryFullError} if the history would be larger than it may be
 */
export async function writeChanged(
	session: D1DatabaseSession,
	chatId: string,
	{ changed, ids, stored, growth, maxBytes, now }: Writing,
): Promise<WrittenRuns> {
	const revision = crypto.randomUUID();
	const limit = growth <= 0 || maxBytes === Number.POSITIVE_INFINITY ? null : maxBytes;
	const seen = JSON.stringify(Object.fromEntries(ids.map((id) => [id, stored.get(id)?.revision ?? null])));
	const heardAt = new Date(now).toISOString();
	const runs: StoredRun[] = [];
	const writes = changed.map((told) => {
		const { run, toldAt } = told;
		const before = stored.get(run.id);
		const values = { id: run.id, chatId, revision, toldAt, ...toRow(run) };
		if (before && isProgress(before, told, now)) {
			runs.push({ ...told, revision, heardAt: before.heardAt });
			return progressStatement(session, values);
		}
		runs.push({ ...told, revision, heardAt });
		return runStatement(session, { ...values, workflowId: run.workflowId, createdAt: heardAt, heardAt, givenUp: null });
	});
	try {
		const [{ results: [chat] = [] } = {}] = await session.batch<{ change: number; fromMark: string }>([
			guardStatement(session, { chatId, revision, seen, growth, limit }),
			...writes,
		]);
		// The chat's row is gone, and there was no run that would have failed by its foreign key.
		if (!chat) throw new ConflictError();
		return { ...toChange(chat, revision), runs };
	} catch (error) {
		if (GUARD_FAILED.test(String(error))) throw new ConflictError();
		if (FULL.test(String(error))) throw new HistoryFullError();
		throw error;
	}
}

/** Whether a run only gets on: no index but that of its chat's changes has to know of it. */
function isProgress(before: StoredRun, { run }: ToldRun, now: number): boolean {
	const { status, startedAt, completedAt } = before.run;
	const isSame = run.status === status && run.startedAt === startedAt && run.completedAt === completedAt;
	return isSame && !before.givenUp && (isTerminal(status) || !isLongAgo(before, now));
}

/** The runs do not fit into the chat's history. */
export class HistoryFullError extends Error {
	override readonly name = "HistoryFullError";
}

const FULL = /NOT NULL constraint failed: chats\.change/;

/** The guard's error, or the error of a run whose chat is gone. */
const GUARD_FAILED =
	/NOT NULL constraint failed: (chats\.revision|workflow_runs\.change)|FOREIGN KEY constraint failed/;
