import { forOwner } from "../access/owner.ts";
import { PRIMARY } from "../db/bookmark.ts";
import { askD1 } from "../db/read.ts";
import { ServiceError } from "../errors.ts";
import type { Scope, Session } from "../scope.ts";
import { isPage, queryOf, type Row, type Slice, withOneBound } from "./read-query.ts";

/** A chat with the runs that were asked for, as one D1 transaction saw them. */
export interface ChatRuns {
	/** The chat's owner. */
	readonly userId: string;
	readonly revision: string;
	readonly change: number;
	/** Each as JSON text. In the list's order: not yet started first, then newest start first, ties by id descending. */
	readonly runs: readonly string[];
	/** Whether there are more runs than a page has room for. */
	readonly isCut: boolean;
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
 * Reads a chat and its runs in one D1 round trip, and one query.
 * @param chatId lower-case UUID
 * @returns null if the chat does not exist, or was deleted
 */
export async function readChatRuns(
	session: D1DatabaseSession,
	chatId: string,
	asked: Slice = {},
): Promise<ChatRuns | null> {
	const slice = withOneBound(asked);
	const { status, after, withoutSteps: _, ...rest } = slice;
	const values = { chatId, status: JSON.stringify(status), ...after, ...rest };
	const rows = await queryOf(slice)(session, values).raw<Row>();
	if (rows.length === 0) return null;
	const [[userId, revision, change] = []] = rows;
	if (typeof userId !== "string" || typeof revision !== "string" || typeof change !== "number")
		throw new Error("D1 answers what was not asked");
	// A page's rows come without an order: D1 would sort them together with their texts.
	if (isPage(slice)) rows.sort(([, , , , a = 0], [, , , , b = 0]) => (a ?? 0) - (b ?? 0));
	const runs: string[] = [];
	for (const [, , , json] of rows) if (json !== null) runs.push(json);
	return { userId, revision, change, runs, isCut: rows.some(([, , , json, upTo]) => json === null && upTo != null) };
}
