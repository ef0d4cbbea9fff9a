import { createRoute, type RouteHandler, z } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import { requireOperator } from "../access/require-operator.ts";
import { requireRecorder } from "../access/require-recorder.ts";
import { deleteChat } from "../chats/delete.ts";
import type { AppEnv } from "../http/app-env.ts";
import { errors, operatorSecurity, RECORDER_ERRORS, recorderSecurity } from "../http/openapi.ts";
import { writtenHeaders } from "../http/openapi-headers.ts";
import { respondWritten } from "../http/respond.ts";
import { Uuid } from "../uuid.ts";
import { eraseChat } from "../workflow-runs/erase.ts";
import { erasureResponses } from "./receipt.ts";

/** Who erases must be an operator: what a recorder deletes by mistake can be restored. Each token does one of the two. */
const requireToken: MiddlewareHandler<AppEnv> = (c, next) =>
	(c.req.query("erase") === undefined ? requireRecorder : requireOperator)(c, next);

export const deleteChatRoute = createRoute({
	method: "delete",
	path: "/api/chats/{chatId}",
	operationId: "deleteChat",
	summary: "Delete a chat",
	description:
		"Softly: readers no longer find it. Registering it with `restore: true` brings it back, until it is purged. Twice is fine. " +
		"With `erase=true` and an operator's token it is erased with its runs, for good: send the request again while it answers 202.",
	tags: ["Recording"],
	security: [...recorderSecurity, ...operatorSecurity],
	middleware: requireToken,
	request: {
		params: z.object({ chatId: Uuid }),
		query: z.object({
			erase: z
				.enum(["true"])
				.optional()
				.openapi({ description: "true: erases the chat. It takes an operator token, and no service token" }),
		}),
	},
	responses: {
		...erasureResponses,
		204: { description: "The chat is deleted", headers: writtenHeaders },
		...errors(...RECORDER_ERRORS, "INVALID_PARAMETER"),
	},
});

export const handleDeleteChat: RouteHandler<typeof deleteChatRoute, AppEnv> = async (c) => {
	const { chatId } = c.req.valid("param");
	if (c.req.valid("query").erase) {
		const { result: receipt, bookmark } = await eraseChat(c.var.scope, chatId);
		respondWritten(c, bookmark);
		return c.json({ data: receipt }, receipt.more ? 202 : 200);
	}
	const { bookmark } = await deleteChat(c.var.scope, chatId);
	respondWritten(c, bookmark);
	return c.body(null, 204);
};
