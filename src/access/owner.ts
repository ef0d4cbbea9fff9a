import { ServiceError } from "../errors.ts";
import type { Scope, Session } from "../scope.ts";
import { readRevokedBefore } from "./revocations.ts";

/**
 * Waits for the session and for the chat, which are read at the same time, and gives the chat to its owner only.
 * The session is checked first, so that a stranger learns nothing from a fast or a failing read.
 *
 * @param chat the data that was read, with the chat's owner as `userId`; null if the chat does not exist
 * @throws {ServiceError} CHAT_NOT_FOUND, CHAT_FORBIDDEN, and the errors that `session` and `chat` reject with
 */
export async function forOwner<T extends { userId: string }>(
	scope: Scope,
	session: Promise<Session>,
	chat: Promise<T | null>,
): Promise<T> {
	// Whoever may see the chat is its owner: whether the owner's sessions were revoked is read beside the session, not
	// behind it. If the session is refused, nobody awaits the chat: its failure must not be an unhandled rejection.
	chat.then((found) => found && readRevokedBefore(scope, found.userId)).catch(() => {});
	const { userId } = await session;
	const found = await chat;
	if (!found) throw new ServiceError("CHAT_NOT_FOUND");
	if (found.userId !== userId) throw new ServiceError("CHAT_FORBIDDEN");
	return found;
}
