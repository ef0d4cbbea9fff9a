import { and, inArray, type SQL, sql } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import { among } from "../db/among.ts";
import { drizzleOver } from "../db/drizzle.ts";
import { chats, workflowRuns } from "../db/schema.ts";

/*
 * How chats are taken away with their runs, a batch at a time: by an erasure, and by the purge of what was deleted.
 */

/** Runs, and chats without any, in a batch. Small, so that readers and recorders do not wait long: D1 runs one query at a time. */
const BATCH_ROWS = 200;

/** SQL: whether a chat's row has no run any more. */
export const isEmpty = sql`not exists (select 1 from ${workflowRuns} where ${workflowRuns.chatId} = ${chats.id})`;

/** What a batch takes away. */
export interface Batch {
	/** SQL: the chats that it touches, if they still are what they were. */
	readonly isOfBatch: SQL | undefined;
	/** How many chats it touches. */
	readonly size: number;
	/** Whether no more was found than is in it. */
	readonly isLast: boolean;
	/** The statement that deletes its runs. What else the write does with the chats stands behind it, in one transaction. */
	readonly deleteRuns: ReturnType<typeof deleteRuns>;
}

/**
 * Finds the next chats to take away, with the runs that are in the batch. It reads as many rows as it finds.
 * @param which SQL: which chats; an index of `chats` has them in the order
 */
export async function findBatch(
	session: D1DatabaseSession,
	which: SQL | undefined,
	order: SQLiteColumn,
): Promise<Batch> {
	const db = drizzleOver(session);
	// In a batch of one, as Drizzle's errors name the parameters of any other query: a user's id, which no log may have.
	const [rows] = await db.batch([
		db
			// Under names of their own: of two columns with one name a batch gives the last.
			.select({ chatId: sql<string>`${chats.id}`.as("chat"), runId: sql<string | null>`${workflowRuns.id}`.as("run") })
			.from(chats)
			.leftJoin(workflowRuns, sql`${workflowRuns.chatId} = ${chats.id}`)
			.where(which)
			.orderBy(order)
			.limit(BATCH_ROWS),
	]);
	const chatIds = [...new Set(rows.map(({ chatId }) => chatId))];
	const runIds = rows.flatMap(({ runId }) => runId ?? []);
	const isOfBatch = and(inArray(chats.id, among(chatIds)), which);
	return {
		isOfBatch,
		size: chatIds.length,
		isLast: rows.length < BATCH_ROWS,
		deleteRuns: deleteRuns(session, isOfBatch, runIds),
	};
}

function deleteRuns(session: D1DatabaseSession, isOfBatch: SQL | undefined, runIds: readonly string[]) {
	const db = drizzleOver(session);
	const owners = db.select({ id: chats.id }).from(chats).where(isOfBatch);
	return db
		.delete(workflowRuns)
		.where(and(inArray(workflowRuns.id, among(runIds)), inArray(workflowRuns.chatId, owners)))
		.returning({ id: workflowRuns.id });
}
