import { createRoute, type RouteHandler, z } from "@hono/zod-openapi";
import { requireOperator } from "../access/require-operator.ts";
import { inspectChat } from "../admin/chat.ts";
import { ChatLook } from "../admin/schemas.ts";
import type { AppEnv } from "../http/app-env.ts";
import { errors, json, OPERATOR_ERRORS, operatorSecurity } from "../http/openapi.ts";
import { Uuid } from "../uuid.ts";

export const inspectChatRoute = createRoute({
	method: "get",
	path: "/api/admin/chats/{chatId}",
	operationId: "inspectChat",
	summary: "Look at a chat",
	description:
		"Whose it is, whether it was deleted, how its runs stand, who watches it, and what the data centre that answers keeps of it.",
	tags: ["Admin"],
	security: operatorSecurity,
	middleware: requireOperator,
	request: { params: z.object({ chatId: Uuid }) },
	responses: {
		200: json(ChatLook, "The chat, also a deleted one"),
		...errors(...OPERATOR_ERRORS, "INVALID_CHAT_ID", "CHAT_NOT_FOUND"),
	},
});

export const handleInspectChat: RouteHandler<typeof inspectChatRoute, AppEnv> = async (c) => {
	const { chatId } = c.req.valid("param");
	const data = await inspectChat(c.var.scope, chatId);
	return c.json({ data }, 200, { "cache-control": "no-store" });
};
