import { and, desc, eq, inArray, isNull, ne, type SQL, sql } from "drizzle-orm";
import { forOwner } from "../access/owner.ts";
import { PRIMARY } from "../db/bookmark.ts";
import { drizzleOver } from "../db/drizzle.ts";
import { askD1 } from "../db/read.ts";
import { chats, workflowRuns } from "../db/schema.ts";
import { ServiceError } from "../errors.ts";
import type { Scope, Session } from "../scope.ts";
import type { Position } from "./cursor.ts";
import { runJson } from "./json.ts";
import type { Status } from "./schemas.ts";

/** Which of a chat's runs to read. Empty: all of them. */
export interface Slice {
	readonly runId?: string | undefined;
	readonly status?: readonly Status[] | undefined;
	/** Only runs behind this position in the list's order. */
	readonly after?: Position | undefined;
	/** At most this many runs. */
	readonly limit?: number | undefined;
	/** Read no runs if the chat still has this revision. This costs two rows read. */
	readonly unlessRevision?: string | undefined;
}

/** A chat with the runs that were asked for, as one D1 transaction saw them. */
export interface ChatRuns {
	/** The chat's owner. */
	readonly userId: string;
	readonly revision: string;
	readonly change: number;
	/** Each as JSON text. In the list's order: not yet started first, then newest start first, ties by id descending. */
	readonly runs: readonly string[];
}

/**
 * One of a chat's runs for its owner, straight from D1. Session and run are read at the same time.
 * @param chatId lower-case UUID
 * @param runId lower-case UUID
 * @param bookmark D1 bookmark of a caller's. The answer is at least as new
 * @returns the run as JSON text
 * @throws {ServiceError} CHAT_NOT_FOUND, CHAT_FORBIDDEN, RUN_NOT_FOUND, STORE_UNAVAILABLE, or the error that `session`
 *   rejects with
 */
export async function readRun(
	scope: Scope,
	session: Promise<Session>,
	chatId: string,
	runId: string,
	bookmark?: string,
): Promise<{ readonly run: string; readonly bookmark: string | null }> {
	const read = async () => {
		const from = bookmark === undefined ? null : PRIMARY;
		const answer = await askD1(scope, from, (d1) => readChatRuns(d1, chatId, { runId }));
		return answer.found && { ...answer.found, bookmark: answer.bookmark };
	};
	const { runs, bookmark: seen } = await forOwner(scope, session, read());
	const [run] = runs;
	if (run === undefined) throw new ServiceError("RUN_NOT_FOUND");
	return { run, bookmark: seen };
}

/**
 * Reads a chat and its runs in one D1 round trip.
 * @param chatId lower-case UUID
 * @returns null if the chat does not exist, or was deleted
 */
export async function readChatRuns(
	session: D1DatabaseSession,
	chatId: string,
	slice: Slice = {},
): Promise<ChatRuns | null> {
	const db = drizzleOver(session);
	const isChat = and(eq(chats.id, chatId), isNull(chats.deletedAt));
	const chat = db
		.select({ userId: chats.userId, revision: chats.revision, change: chats.change })
		.from(chats)
		.where(isChat);
	// Joined from the chat's row to its runs, so that a chat at the known revision costs only that row.
	const runs = db
		.select({ json: runJson })
		.from(chats)
		.innerJoin(workflowRuns, eq(workflowRuns.chatId, chats.id))
		.where(and(isChat, ...conditions(slice)))
		.orderBy(desc(workflowRuns.startOrder), desc(workflowRuns.id));
	const [found, rows] = await db.batch([chat, slice.limit === undefined ? runs : runs.limit(slice.limit)]);
	return found[0] ? { ...found[0], runs: rows.map(({ json }) => json) } : null;
}

function conditions({ runId, status, after, unlessRevision }: Slice): SQL[] {
	const all: SQL[] = [];
	if (runId !== undefined) all.push(eq(workflowRuns.id, runId));
	// One parameter, since D1 takes at most 100.
	if (status) all.push(inArray(workflowRuns.status, sql`(select value from json_each(${JSON.stringify(status)}))`));
	if (after) all.push(sql`(${workflowRuns.startOrder}, ${workflowRuns.id}) < (${after.startOrder}, ${after.id})`);
	if (unlessRevision !== undefined) all.push(ne(chats.revision, unlessRevision));
	return all;
}
