import { and, eq, isNotNull } from "drizzle-orm";
import { firstChange, nextChange } from "../db/change.ts";
import { drizzleOver } from "../db/drizzle.ts";
import { chats } from "../db/schema.ts";
import { type Written, writeD1 } from "../db/write.ts";
import { ServiceError } from "../errors.ts";
import type { Scope } from "../scope.ts";
import type { ChatRegistration } from "./schemas.ts";

/**
 * Registers a chat with its owner. Idempotent; a deleted chat comes back with its runs.
 * @param chatId lower-case UUID
 * @returns whether the chat is new
 * @throws {ServiceError} CHAT_CONFLICT if it has another owner, or STORE_UNAVAILABLE
 */
export function registerChat(scope: Scope, chatId: string, { userId }: ChatRegistration): Promise<Written<boolean>> {
	return writeD1(scope, async (session) => {
		const db = drizzleOver(session);
		const revision = crypto.randomUUID();
		const createdAt = new Date().toISOString();
		const [[before]] = await db.batch([
			db.select({ userId: chats.userId }).from(chats).where(eq(chats.id, chatId)),
			db
				.insert(chats)
				.values({ id: chatId, userId, createdAt, ...firstChange(revision) })
				.onConflictDoNothing(),
			db
				.update(chats)
				.set({ ...nextChange(revision), deletedAt: null })
				.where(and(eq(chats.id, chatId), eq(chats.userId, userId), isNotNull(chats.deletedAt))),
		]);
		if (before && before.userId !== userId) throw new ServiceError("CHAT_CONFLICT");
		return !before;
	});
}
