import { and, desc, eq, inArray, isNull, type SQL, sql } from "drizzle-orm";
import { drizzleOver } from "../db/client";
import { chats, workflowRuns } from "../db/schema";
import { ServiceError } from "../errors";
import type { Position } from "./cursor";
import type { Status } from "./schemas";

/** Which of a chat's runs to read; with nothing set, all of them. */
export interface Slice {
	readonly runId?: string | undefined;
	readonly status?: readonly Status[] | undefined;
	/** Only runs behind this position in the list's order. */
	readonly after?: Position | undefined;
	/** At most this many runs. */
	readonly limit?: number | undefined;
}

/** A chat with the runs that were asked for, as one D1 transaction saw them. */
export interface ChatRuns {
	/** The chat's owner. */
	readonly userId: string;
	readonly revision: string;
	/** In the list's order: not yet started first, then newest start first, ties by id descending. */
	readonly runs: readonly RunRow[];
}

const columns = {
	id: workflowRuns.id,
	chatId: workflowRuns.chatId,
	workflowId: workflowRuns.workflowId,
	status: workflowRuns.status,
	startedAt: workflowRuns.startedAt,
	completedAt: workflowRuns.completedAt,
	error: workflowRuns.error,
	steps: workflowRuns.steps,
};

/** A run's columns, as stored: `error` and `steps` are JSON text. */
export type RunRow = Pick<typeof workflowRuns.$inferSelect, keyof typeof columns>;

/**
 * Reads a chat and its runs in one D1 round trip, from the nearest replica.
 * @param chatId lower-case UUID
 * @returns null if there is no such chat, or it was deleted
 * @throws {ServiceError} STORE_UNAVAILABLE if D1 does not answer
 */
export async function readChatRuns(d1: D1Database, chatId: string, slice: Slice = {}): Promise<ChatRuns | null> {
	const db = drizzleOver(d1.withSession("first-unconstrained"));
	const chat = db
		.select({ userId: chats.userId, revision: chats.revision })
		.from(chats)
		.where(and(eq(chats.id, chatId), isNull(chats.deletedAt)));
	const listed = db
		.select(columns)
		.from(workflowRuns)
		.where(and(eq(workflowRuns.chatId, chatId), ...conditions(slice)))
		.orderBy(desc(workflowRuns.startOrder), desc(workflowRuns.id));
	try {
		const [found, runs] = await db.batch([chat, slice.limit === undefined ? listed : listed.limit(slice.limit)]);
		return found[0] ? { ...found[0], runs } : null;
	} catch (cause) {
		throw new ServiceError("STORE_UNAVAILABLE", undefined, { cause });
	}
}

function conditions({ runId, status, after }: Slice): SQL[] {
	const all: SQL[] = [];
	if (runId !== undefined) all.push(eq(workflowRuns.id, runId));
	if (status) all.push(inArray(workflowRuns.status, status));
	if (after) all.push(sql`(${workflowRuns.startOrder}, ${workflowRuns.id}) < (${after.startOrder}, ${after.id})`);
	return all;
}
