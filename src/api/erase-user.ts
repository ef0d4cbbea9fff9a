import { createRoute, type RouteHandler, z } from "@hono/zod-openapi";
import { requireOperator } from "../access/require-operator.ts";
import type { AppEnv } from "../http/app-env.ts";
import { errors, OPERATOR_ERRORS, operatorSecurity } from "../http/openapi.ts";
import { respondWritten } from "../http/respond.ts";
import { eraseUser } from "../workflow-runs/erase.ts";
import { erasureResponses } from "./receipt.ts";
import { aboutUser, userIdParameter } from "./user-id-parameter.ts";

export const eraseUserRoute = createRoute({
	method: "delete",
	path: "/api/users/{userId}",
	operationId: "eraseUser",
	summary: "Erase a user's data",
	description:
		"Erases the user's chats and runs for good, deleted ones included, and ends their streams. A request erases as much as it " +
		"may: send it again while it answers 202. What is erased stays so, whatever a recorder sends late.",
	tags: ["Personal data"],
	security: operatorSecurity,
	middleware: requireOperator,
	request: {
		params: userIdParameter,
		// Whoever asks for a rehearsal, or does not encode the `?` in an id, must not erase somebody by it.
		query: z.strictObject({}, "An erasure takes no query; a ? in the user's id is written %3F"),
	},
	responses: { ...erasureResponses, ...errors(...OPERATOR_ERRORS) },
});

export const handleEraseUser: RouteHandler<typeof eraseUserRoute, AppEnv> = async (c) => {
	const userId = await aboutUser(c, c.req.valid("param").userId);
	const { result: receipt, bookmark } = await eraseUser(c.var.scope, userId);
	respondWritten(c, bookmark);
	return c.json({ data: receipt }, receipt.more ? 202 : 200);
};
