import { and, eq, getTableColumns, inArray, sql } from "drizzle-orm";
import { type Change, toChange } from "../db/change.ts";
import { drizzleOver } from "../db/drizzle.ts";
import { runBytes } from "../db/history-bytes.ts";
import { chats, workflowRuns } from "../db/schema.ts";
import { ConflictError } from "../db/write.ts";
import { ServiceError } from "../errors.ts";
import { detailsJson } from "./json.ts";
import type { StoredRun } from "./merge-reports.ts";
import { parseRow, toRow } from "./row.ts";
import type { WorkflowRun } from "./schemas.ts";
import { guardStatement, runStatement } from "./write-statements.ts";

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
	const isNamed = inArray(workflowRuns.id, sql`(select value from json_each(${JSON.stringify(runIds)}))`);
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
	return new Map(rows.map((row) => [row.id, { run: parseRow(row), revision: row.revision }]));
}

/** The result of a write: the chat's change, and the new revision of its runs. */
export interface WrittenChange extends Change {
	readonly revision: string;
}

/**
 * Writes changed runs and gives the chat a new revision and change number, in one batch: a transaction.
 * @param seen the stored revision of every run that the merge built on; null: the run was not stored
 * @param growth how many bytes the runs take more than before
 * @param maxBytes of the chat's history. Infinity: there is no limit
 * @throws {ConflictError} if a run has changed since it was read, or the chat is gone
 * @throws {HistoryFullError} if the history would be larger than it may be
 */
export async function writeChanged(
	session: D1DatabaseSession,
	chatId: string,
	changedRuns: readonly WorkflowRun[],
	seen: ReadonlyMap<string, string | null>,
	growth: number,
	maxBytes: number,
): Promise<WrittenChange> {
	const revision = crypto.randomUUID();
	const limit = growth <= 0 || maxBytes === Number.POSITIVE_INFINITY ? null : maxBytes;
	const seenJson = JSON.stringify(Object.fromEntries(seen));
	const guard = guardStatement(session, { chatId, revision, seen: seenJson, growth, limit });
	const createdAt = new Date().toISOString();
	const writes = changedRuns.map((run) => {
		const { id, workflowId } = run;
		return runStatement(session, { id, chatId, workflowId, createdAt, revision, ...toRow(run) });
	});
	try {
		const [{ results: [chat] = [] } = {}] = await session.batch<{ change: number; fromMark: string }>([
			guard,
			...writes,
		]);
		// The chat's row is gone, and there was no run that would have failed by its foreign key.
		if (!chat) throw new ConflictError();
		return { ...toChange(chat, revision), revision };
	} catch (error) {
		if (GUARD_FAILED.test(String(error))) throw new ConflictError();
		if (FULL.test(String(error))) throw new HistoryFullError();
		throw error;
	}
}

/** The runs do not fit into the chat's history. */
export class HistoryFullError extends Error {
	override readonly name = "HistoryFullError";
}

const FULL = /NOT NULL constraint failed: chats\.change/;

/** The guard's error, or the error of a run whose chat is gone. */
const GUARD_FAILED =
	/NOT NULL constraint failed: (chats\.revision|workflow_runs\.change)|FOREIGN KEY constraint failed/;
