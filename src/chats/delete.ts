import { and, eq, isNull } from "drizzle-orm";
import { changed, nextChange, toChange } from "../db/change.ts";
import { drizzleOver } from "../db/drizzle.ts";
import { tellWatchers } from "../db/hub.ts";
import { chats } from "../db/schema.ts";
import { inTime, LateError, type Written, writeD1 } from "../db/write.ts";
import { ServiceError } from "../errors.ts";
import type { Scope } from "../scope.ts";

/**
 * Deletes a chat softly: readers no longer find it, but its rows stay. Idempotent.
 * @param chatId lower-case UUID
 * @throws {ServiceError} CHAT_NOT_FOUND if it was never registered, or STORE_UNAVAILABLE. Then it is not deleted, now or later
 */
export async function deleteChat(scope: Scope, chatId: string): Promise<Written<void>> {
	const { result, bookmark } = await writeD1(scope, async (session) => {
		const db = drizzleOver(session);
		const isChat = eq(chats.id, chatId);
		const revision = crypto.randomUUID();
		const [[after], [chat]] = await db.batch([
			db
				.update(chats)
				.set({ ...nextChange(revision), deletedAt: new Date().toISOString() })
				.where(and(isChat, isNull(chats.deletedAt), inTime(scope)))
				.returning(changed),
			db.select({ deletedAt: chats.deletedAt }).from(chats).where(isChat),
		]);
		if (!chat) throw new ServiceError("CHAT_NOT_FOUND");
		if (chat.deletedAt === null) throw new LateError();
		return after && toChange(after, revision);
	});
	if (result) tellWatchers(scope, chatId, { ...result, bookmark, runs: null });
	return { result: undefined, bookmark };
}
