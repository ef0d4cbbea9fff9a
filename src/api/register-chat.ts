import { createRoute, type RouteHandler, z } from "@hono/zod-openapi";
import { requireRecorder } from "../access/require-recorder.ts";
import { registerChat } from "../chats/register.ts";
import { ChatItem, ChatRegistration } from "../chats/schemas.ts";
import type { AppEnv } from "../http/app-env.ts";
import { requireJsonBody } from "../http/body.ts";
import { BODY_ERRORS, errors, recorderSecurity, requiredJson, written } from "../http/openapi.ts";
import { respondWritten } from "../http/respond.ts";
import { Uuid } from "../uuid.ts";

export const registerChatRoute = createRoute({
	method: "put",
	path: "/api/chats/{chatId}",
	operationId: "registerChat",
	summary: "Register a chat with its owner",
	description:
		"Before its runs are reported. The same again changes nothing. A deleted chat stays deleted (409 `CHAT_DELETED`), so that " +
		"a registration that arrives late undoes no deletion; `restore: true` brings it back with its runs.",
	tags: ["Recording"],
	security: recorderSecurity,
	middleware: [requireRecorder, ...requireJsonBody],
	request: { params: z.object({ chatId: Uuid }), body: requiredJson(ChatRegistration) },
	responses: {
		200: written(ChatItem, "The chat, which was registered before"),
		201: written(ChatItem, "The chat, which is new"),
		...errors(
			"INVALID_TOKEN",
			"METHOD_NOT_ALLOWED",
			"RATE_LIMITED",
			"INVALID_CHAT_ID",
			...BODY_ERRORS,
			"CHAT_CONFLICT",
			"CHAT_DELETED",
			"INTERNAL_ERROR",
			"STORE_UNAVAILABLE",
		),
	},
});

export const handleRegisterChat: RouteHandler<typeof registerChatRoute, AppEnv> = async (c) => {
	const { chatId } = c.req.valid("param");
	const registration = c.req.valid("json");
	const { result: created, bookmark } = await registerChat(c.var.scope, chatId, registration);
	respondWritten(c, bookmark);
	return c.json({ data: { chat: { id: chatId, userId: registration.userId } } }, created ? 201 : 200);
};
