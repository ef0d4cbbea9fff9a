import { createRoute, type RouteHandler, z } from "@hono/zod-openapi";
import { and, eq, isNull } from "drizzle-orm";
import type { AppEnv } from "../app-env.ts";
import { drizzleOver } from "../db/client.ts";
import { chats } from "../db/schema.ts";
import { type Written, writeD1 } from "../db/write.ts";
import { ServiceError } from "../errors.ts";
import { errors, RECORDER_ERRORS, recorderSecurity, writtenHeaders } from "../openapi.ts";
import { requireRecorder } from "../recorder/require-recorder.ts";
import { respondWritten } from "../respond.ts";
import type { Scope } from "../scope.ts";
import { Uuid } from "../workflow-runs/schemas.ts";

/**
 * Deletes a chat softly: readers no longer find it, its rows stay. Idempotent.
 * @param chatId lower-case UUID
 * @throws {ServiceError} CHAT_NOT_FOUND if it was never registered, or STORE_UNAVAILABLE
 */
export function deleteChat(scope: Scope, chatId: string): Promise<Written<void>> {
	return writeD1(scope, async (session) => {
		const db = drizzleOver(session);
		const isChat = eq(chats.id, chatId);
		const [[chat]] = await db.batch([
			db.select({ id: chats.id }).from(chats).where(isChat),
			db
				.update(chats)
				.set({ deletedAt: new Date().toISOString(), revision: crypto.randomUUID() })
				.where(and(isChat, isNull(chats.deletedAt))),
		]);
		if (!chat) throw new ServiceError("CHAT_NOT_FOUND");
	});
}

export const deleteChatRoute = createRoute({
	method: "delete",
	path: "/api/chats/{chatId}",
	operationId: "deleteChat",
	summary: "Delete a chat",
	description: "Softly: readers no longer find it, and registering it again brings it back. Twice is fine.",
	tags: ["Recording"],
	security: recorderSecurity,
	middleware: requireRecorder,
	request: { params: z.object({ chatId: Uuid }) },
	responses: {
		204: { description: "The chat is deleted", headers: writtenHeaders },
		...errors(...RECORDER_ERRORS),
	},
});

export const removeChat: RouteHandler<typeof deleteChatRoute, AppEnv> = async (c) => {
	const { chatId } = c.req.valid("param");
	const { bookmark } = await deleteChat(c.var.scope, chatId);
	respondWritten(c, bookmark);
	return c.body(null, 204);
};
