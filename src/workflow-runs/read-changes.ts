import { and, eq, gt, isNull, sql } from "drizzle-orm";
import { QueryBuilder } from "drizzle-orm/sqlite-core";
import { canTell, type State, stateOf } from "../db/change.ts";
import { prepareOnce } from "../db/prepared.ts";
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

const STATE = { userId: chats.userId, change: chats.change, revision: chats.revision };
const IS_CHAT = and(eq(chats.id, sql.placeholder("chatId")), isNull(chats.deletedAt));

// If it cannot be told what has changed, no run is read.
const from = sql`case when ${canTell} then ${sql.placeholder("change")} else ${sql.raw(String(Number.MAX_SAFE_INTEGER))} end`;

const changesQuery = prepareOnce<{ chatId: string; change: number; mark: string }>(() =>
	new QueryBuilder()
		.select({ ...STATE, canTell, run: runJson })
		.from(chats)
		.leftJoin(workflowRuns, and(eq(workflowRuns.chatId, chats.id), gt(workflowRuns.change, from)))
		.where(IS_CHAT)
		// In the order of the index, so that nothing is sorted.
		.orderBy(workflowRuns.change),
);

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
	type Row = [userId: string, change: number, revision: string, canTell: 0 | 1, run: string | null];
	const rows = await changesQuery(session, { chatId, ...since }).raw<Row>();
	const [chat] = rows;
	if (!chat) return null;
	const [userId, change, revision, canTell] = chat;
	const runs = canTell ? rows.map(([, , , , run]) => run).filter((run) => run !== null) : null;
	return { userId, state: stateOf({ change, revision }), runs };
}

/** A chat's state, and one of its runs. */
export interface ChatRun {
	/** The chat's owner. */
	readonly userId: string;
	readonly state: State;
	/** The run as JSON text, and the state with which it last changed; null if the chat has no such run. */
	readonly run: { readonly json: string; readonly state: State } | null;
}

const runQuery = prepareOnce<{ chatId: string; runId: string }>(() =>
	new QueryBuilder()
		.select({ ...STATE, run: runJson, runChange: workflowRuns.change, runRevision: workflowRuns.revision })
		.from(chats)
		.leftJoin(workflowRuns, and(eq(workflowRuns.id, sql.placeholder("runId")), eq(workflowRuns.chatId, chats.id)))
		.where(IS_CHAT),
);

/**
 * Reads one run of a chat with the chat's state, in one query.
 * @returns null if there is no such chat, or it was deleted
 */
export async function readChatRun(session: D1DatabaseSession, chatId: string, runId: string): Promise<ChatRun | null> {
	type Row = [userId: string, change: number, revision: string, ...([string, number, string] | [null, null, null])];
	const [row] = await runQuery(session, { chatId, runId }).raw<Row>();
	if (!row) return null;
	const [userId, change, revision, json, runChange, runRevision] = row;
	const run = json === null ? null : { json, state: stateOf({ change: runChange, revision: runRevision }) };
	return { userId, state: stateOf({ change, revision }), run };
}
