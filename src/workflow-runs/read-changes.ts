import { and, eq, gt, isNull, sql } from "drizzle-orm";
import { canTellSince, type State, stateOf } from "../db/change.ts";
import { drizzleOver } from "../db/drizzle.ts";
import { chats, workflowRuns } from "../db/schema.ts";
import { runJson } from "./json.ts";

/** A chat's state, and the runs that changed since an earlier state. */
export interface ChatChanges {
	/** The chat's owner. */
	readonly userId: string;
	readonly state: State;
	/** The runs that changed since, each as JSON text; null if that cannot be told, and a snapshot is needed. */
	readonly runs: readonly string[] | null;
}

/**
 * Reads the runs of a chat that changed since a state, in one query. It reads one row more than the changed ones.
 * @param chatId lower-case UUID
 * @returns null if the chat does not exist, or was deleted
 */
export async function readChanges(
	session: D1DatabaseSession,
	chatId: string,
	since: State,
): Promise<ChatChanges | null> {
	const canTell = canTellSince(since);
	// If it cannot be told, no run is read.
	const from = sql`case when ${canTell} then ${since.change} else ${Number.MAX_SAFE_INTEGER} end`;
	const rows = await drizzleOver(session)
		.select({ userId: chats.userId, change: chats.change, revision: chats.revision, canTell, run: runJson })
		.from(chats)
		.leftJoin(workflowRuns, and(eq(workflowRuns.chatId, chats.id), gt(workflowRuns.change, from)))
		.where(and(eq(chats.id, chatId), isNull(chats.deletedAt)))
		// In the order of the index, so that nothing is sorted.
		.orderBy(workflowRuns.change);
	const [chat] = rows;
	if (!chat) return null;
	const runs = chat.canTell ? rows.map(({ run }) => run).filter((run) => run !== null) : null;
	return { userId: chat.userId, state: stateOf(chat), runs };
}

/** A chat's state, and one of its runs. */
export interface ChatRun {
	/** The chat's owner. */
	readonly userId: string;
	readonly state: State;
	/** The run as JSON text, and the state with which it last changed; null if the chat has no such run. */
	readonly run: { readonly json: string; readonly state: State } | null;
}

/**
 * Reads one run of a chat with the chat's state, in one query.
 * @returns null if there is no such chat, or it was deleted
 */
export async function readChatRun(session: D1DatabaseSession, chatId: string, runId: string): Promise<ChatRun | null> {
	const [row] = await drizzleOver(session)
		.select({
			userId: chats.userId,
			change: chats.change,
			revision: chats.revision,
			run: runJson,
			runChange: workflowRuns.change,
			runRevision: workflowRuns.revision,
		})
		.from(chats)
		.leftJoin(workflowRuns, and(eq(workflowRuns.id, runId), eq(workflowRuns.chatId, chats.id)))
		.where(and(eq(chats.id, chatId), isNull(chats.deletedAt)));
	if (!row) return null;
	const { userId, run, runChange, runRevision } = row;
	const state = runChange === null || runRevision === null ? null : { change: runChange, revision: runRevision };
	return { userId, state: stateOf(row), run: state && { json: run, state: stateOf(state) } };
}
