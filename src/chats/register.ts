import { createRoute, type RouteHandler, z } from "@hono/zod-openapi";
import { and, eq, isNotNull } from "drizzle-orm";
import type { AppEnv } from "../app-env.ts";
import { drizzleOver } from "../db/client.ts";
import { chats } from "../db/schema.ts";
import { type Written, writeD1 } from "../db/write.ts";
import { ServiceError } from "../errors.ts";
import { jsonBody } from "../json-body.ts";
import { BODY_ERRORS, errors, recorderSecurity, requiredJson, written } from "../openapi.ts";
import { requireRecorder } from "../recorder/require-recorder.ts";
import { respondWritten } from "../respond.ts";
import type { Scope } from "../scope.ts";
import { Uuid } from "../workflow-runs/schemas.ts";
import { ChatItem, ChatRegistration } from "./schemas.ts";

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
			db.insert(chats).values({ id: chatId, userId, revision, createdAt }).onConflictDoNothing(),
			db
				.update(chats)
				.set({ deletedAt: null, revision })
				.where(and(eq(chats.id, chatId), eq(chats.userId, userId), isNotNull(chats.deletedAt))),
		]);
		if (before && before.userId !== userId) throw new ServiceError("CHAT_CONFLICT");
		return !before;
	});
}

export const registerChatRoute = createRoute({
	method: "put",
	path: "/api/chats/{chatId}",
	operationId: "registerChat",
	summary: "Register a chat with its owner",
	description: "Before its runs are reported. The same again changes nothing; a deleted chat comes back with its runs.",
	tags: ["Recording"],
	security: recorderSecurity,
	middleware: [requireRecorder, ...jsonBody],
	request: { params: z.object({ chatId: Uuid }), body: requiredJson(ChatRegistration) },
	responses: {
		200: written(ChatItem, "The chat, which was registered before"),
		201: written(ChatItem, "The chat, which is new"),
		...errors(
			"INVALID_TOKEN",
			"RATE_LIMITED",
			"INVALID_CHAT_ID",
			...BODY_ERRORS,
			"CHAT_CONFLICT",
			"INTERNAL_ERROR",
			"STORE_UNAVAILABLE",
		),
	},
});

export const putChat: RouteHandler<typeof registerChatRoute, AppEnv> = async (c) => {
	const { chatId } = c.req.valid("param");
	const registration = c.req.valid("json");
	const { result: created, bookmark } = await registerChat(c.var.scope, chatId, registration);
	respondWritten(c, bookmark);
	return c.json({ data: { chat: { id: chatId, ...registration } } }, created ? 201 : 200);
};
