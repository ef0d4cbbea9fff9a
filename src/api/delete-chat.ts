import { createRoute, type RouteHandler, z } from "@hono/zod-openapi";
import { requireRecorder } from "../access/require-recorder.ts";
import { deleteChat } from "../chats/delete.ts";
import type { AppEnv } from "../http/app-env.ts";
import { errors, RECORDER_ERRORS, recorderSecurity } from "../http/openapi.ts";
import { writtenHeaders } from "../http/openapi-headers.ts";
import { respondWritten } from "../http/respond.ts";
import { Uuid } from "../uuid.ts";

export const deleteChatRoute = createRoute({
	method: "delete",
	path: "/api/chats/{chatId}",
	operationId: "deleteChat",
	summary: "Delete a chat",
	description: "Softly: readers no longer find it. Registering it with `restore: true` brings it back. Twice is fine.",
	tags: ["Recording"],
	security: recorderSecurity,
	middleware: requireRecorder,
	request: { params: z.object({ chatId: Uuid }) },
	responses: {
		204: { description: "The chat is deleted", headers: writtenHeaders },
		...errors(...RECORDER_ERRORS),
	},
});

export const handleDeleteChat: RouteHandler<typeof deleteChatRoute, AppEnv> = async (c) => {
	const { chatId } = c.req.valid("param");
	const { bookmark } = await deleteChat(c.var.scope, chatId);
	respondWritten(c, bookmark);
	return c.body(null, 204);
};
