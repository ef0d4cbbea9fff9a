import { ServiceError } from "../errors.ts";
import type { Session } from "../scope.ts";

/**
 * Waits for the session and for what was read of a chat meanwhile, and gives it to nobody but the chat's owner.
 * The session's verdict comes first, so that a stranger learns nothing from a fast or a failing read.
 *
 * @param chat what was read, with the chat's owner as `userId`; null if there is no such chat
 * @throws {ServiceError} what `session` rejects with, what `chat` rejects with, CHAT_NOT_FOUND, CHAT_FORBIDDEN
 */
export async function forOwner<T extends { userId: string }>(
	session: Promise<Session>,
	chat: Promise<T | null>,
): Promise<T> {
	// If the session is refused, nobody awaits the chat: its failure must not be an unhandled rejection.
	chat.catch(() => {});
	const { userId } = await session;
	const found = await chat;
	if (!found) throw new ServiceError("CHAT_NOT_FOUND");
	if (found.userId !== userId) throw new ServiceError("CHAT_FORBIDDEN");
	return found;
}
