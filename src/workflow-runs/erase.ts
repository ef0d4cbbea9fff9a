import { and, eq, ne, type SQL, sql } from "drizzle-orm";
import { PRIMARY } from "../db/bookmark.ts";
import { type Change, changed, nextChange, toChange } from "../db/change.ts";
import { drizzleOver } from "../db/drizzle.ts";
import { tellWatchers } from "../db/hub.ts";
import { askD1 } from "../db/read.ts";
import { chats } from "../db/schema.ts";
import { type Written, writeD1 } from "../db/write.ts";
import { ServiceError } from "../errors.ts";
import { logError, logInfo } from "../log.ts";
import type { Scope } from "../scope.ts";
import { findBatch, isEmpty } from "./clear.ts";
import { forgetHistory } from "./edge-cache.ts";
import { markErased } from "./erased.ts";

/** Workers allow 1,000 D1 queries in an invocation, and a batch takes three. */
const MAX_BATCHES = 50;

/** The hub of each chat is told, and its copy forgotten: two subrequests a chat. Erasing goes on until it has touched these. */
const ENOUGH_CHATS = 200;

/** What a request has erased, for the operator's records. */
export interface Receipt {
	readonly chats: number;
	readonly workflowRuns: number;
	/** Whether there is more to erase: the same again goes on. */
	readonly more: boolean;
}

/**
 * Erases a user's chats and runs, as many as a request may. Idempotent: what is erased already counts no more.
 * @throws {ServiceError} STORE_UNAVAILABLE if nothing was erased. Of a failure after that, `more` tells
 */
export async function eraseUser(scope: Scope, userId: string): Promise<Written<Receipt>> {
	await markErased(scope, { userId });
	return erase(scope, eq(chats.userId, userId));
}

/**
 * Erases a chat with its runs; see `eraseUser`.
 * @param chatId lower-case UUID
 * @throws {ServiceError} CHAT_NOT_FOUND if it was never registered, or purged since
 */
export async function eraseChat(scope: Scope, chatId: string): Promise<Written<Receipt>> {
	const isChat = eq(chats.id, chatId);
	const { found } = await askD1(scope, PRIMARY, (session) =>
		drizzleOver(session).select({ id: chats.id }).from(chats).where(isChat),
	);
	if (found.length === 0) throw new ServiceError("CHAT_NOT_FOUND");
	await markErased(scope, { chatId });
	return erase(scope, and(isChat, ne(chats.userId, "")));
}

async function erase(scope: Scope, which: SQL | undefined): Promise<Written<Receipt>> {
	const told = new Set<string>();
	const receipt = { chats: 0, workflowRuns: 0, more: true };
	let bookmark: string | null = null;
	for (let batches = 0; receipt.more && batches < MAX_BATCHES && told.size < ENOUGH_CHATS; batches++) {
		try {
			const written = await writeD1(scope, (session) => eraseBatch(session, which));
			const { changes, isLast, ...erased } = written.result;
			bookmark = written.bookmark;
			receipt.chats += erased.chats;
			receipt.workflowRuns += erased.workflowRuns;
			receipt.more = !isLast;
			for (const { chatId, change } of changes) {
				if (told.has(chatId)) continue;
				told.add(chatId);
				tellWatchers(scope, chatId, { ...change, bookmark, runs: null });
				scope.waitUntil(forgetHistory(scope, chatId));
			}
		} catch (error) {
			if (batches === 0) throw error;
			// What is erased is told, since the receipt is all that will ever tell of it.
			logError(scope, { event: "erasure", doing: "erase" }, error);
			break;
		}
	}
	logInfo(scope, { event: "erasure", chats: receipt.chats, deleted: receipt.workflowRuns, more: receipt.more });
	return { result: receipt, bookmark };
}

interface Erased {
	readonly chats: number;
	readonly workflowRuns: number;
	readonly changes: readonly { readonly chatId: string; readonly change: Change }[];
	readonly isLast: boolean;
}

/**
 * Erases up to a batch of runs. Nobody finds a chat of the batch any more. One that has no runs left becomes a tombstone
 * of its id: without it, a report or a registration that comes late would bring the chat back.
 */
async function eraseBatch(session: D1DatabaseSession, which: SQL | undefined): Promise<Erased> {
	const { isOfBatch, size, isLast, deleteRuns } = await findBatch(session, which, chats.id);
	if (size === 0) return { chats: 0, workflowRuns: 0, changes: [], isLast };
	const revision = crypto.randomUUID();
	const now = new Date().toISOString();
	const [runs, touched] = await drizzleOver(session).batch([
		deleteRuns,
		drizzleOver(session)
			.update(chats)
			.set({
				...nextChange(revision, { gap: true }),
				deletedAt: now,
				userId: sql`iif(${isEmpty}, '', ${chats.userId})`,
				createdAt: sql`iif(${isEmpty}, ${now}, ${chats.createdAt})`,
			})
			.where(isOfBatch)
			.returning({ chatId: chats.id, userId: chats.userId, ...changed }),
	]);
	const erased = touched.filter(({ userId }) => userId === "");
	return {
		chats: erased.length,
		workflowRuns: runs.length,
		changes: touched.map(({ chatId, ...row }) => ({ chatId, change: toChange(row, revision) })),
		isLast: isLast && erased.length === touched.length,
	};
}
