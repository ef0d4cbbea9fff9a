import { and, eq, isNotNull, sql } from "drizzle-orm";
import { changed, firstChange, nextChange, toChange } from "../db/change.ts";
import { drizzleOver } from "../db/drizzle.ts";
import { tellWatchers } from "../db/hub.ts";
import { chats } from "../db/schema.ts";
import { inTime, LateError, type Written, writeD1 } from "../db/write.ts";
import { ServiceError } from "../errors.ts";
import type { Scope } from "../scope.ts";
import type { ChatRegistration } from "./schemas.ts";

/**
 * Registers a chat with its owner. Idempotent. A deleted chat comes back, with its runs, only with `restore`. Otherwise
 * a registration that arrives late, or twice, would undo a deletion.
 *
 * @param chatId lower-case UUID
 * @returns whether the chat is new
 * @throws {ServiceError} CHAT_CONFLICT if it has another owner, CHAT_DELETED (also if it was erased, whatever is asked),
 * or STORE_UNAVAILABLE. Then nothing
 * has changed, and nothing will change later
 */
export async function registerChat(
	scope: Scope,
	chatId: string,
	{ userId, restore = false }: ChatRegistration,
): Promise<Written<boolean>> {
	const { result, bookmark } = await writeD1(scope, async (session) => {
		const db = drizzleOver(session);
		const revision = crypto.randomUUID();
		const isChat = eq(chats.id, chatId);
		const state = db.select({ userId: chats.userId, deletedAt: chats.deletedAt }).from(chats).where(isChat);
		// The column is NOT NULL. So a registration that comes too late fails as a whole.
		const createdAt = sql`iif(${inTime(scope)}, ${new Date().toISOString()}, null)`;
		const [[before], , [restored], [after]] = await db.batch([
			state,
			db
				.insert(chats)
				.values({ id: chatId, userId, createdAt, ...firstChange(revision) })
				.onConflictDoNothing(),
			db
				.update(chats)
				.set({ ...nextChange(revision), deletedAt: null })
				.where(and(isChat, eq(chats.userId, userId), isNotNull(chats.deletedAt), sql`${restore}`, inTime(scope)))
				.returning(changed),
			state,
		]);
		if (before?.userId === "") throw new ServiceError("CHAT_DELETED", "The chat was erased and cannot be brought back");
		if (before && before.userId !== userId) throw new ServiceError("CHAT_CONFLICT");
		if (before?.deletedAt && !restore) throw new ServiceError("CHAT_DELETED");
		if (!after || after.deletedAt !== null) throw new LateError();
		return { created: !before, change: restored && toChange(restored, revision) };
	});
	if (result.change) tellWatchers(scope, chatId, { ...result.change, bookmark, runs: null });
	return { result: result.created, bookmark };
}
