import { and, eq, isNull } from "drizzle-orm";
import { nextChange } from "../db/change.ts";
import { drizzleOver } from "../db/drizzle.ts";
import { chats } from "../db/schema.ts";
import { inTime, LateError, type Written, writeD1 } from "../db/write.ts";
import { ServiceError } from "../errors.ts";
import type { Scope } from "../scope.ts";

/**
 * Deletes a chat softly: readers no longer find it, but its rows stay. Idempotent.
 * @param chatId lower-case UUID
 * @throws {ServiceError} CHAT_NOT_FOUND if it was never registered, or STORE_UNAVAILABLE: it is not deleted then, nor later
 */
export function deleteChat(scope: Scope, chatId: string): Promise<Written<void>> {
	return writeD1(scope, async (session) => {
		const db = drizzleOver(session);
		const isChat = eq(chats.id, chatId);
		const [, [chat]] = await db.batch([
			db
				.update(chats)
				.set({ ...nextChange(crypto.randomUUID()), deletedAt: new Date().toISOString() })
				.where(and(isChat, isNull(chats.deletedAt), inTime(scope))),
			db.select({ deletedAt: chats.deletedAt }).from(chats).where(isChat),
		]);
		if (!chat) throw new ServiceError("CHAT_NOT_FOUND");
		if (chat.deletedAt === null) throw new LateError();
	});
}
