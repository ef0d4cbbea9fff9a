import { createRoute, type RouteHandler } from "@hono/zod-openapi";
import { requireOperator } from "../access/require-operator.ts";
import { UserLook } from "../admin/schemas.ts";
import { inspectUser } from "../admin/user.ts";
import type { AppEnv } from "../http/app-env.ts";
import { errors, json, OPERATOR_ERRORS, operatorSecurity } from "../http/openapi.ts";
import { aboutUser, userIdParameter } from "./user-id-parameter.ts";

export const inspectUserRoute = createRoute({
	method: "get",
	path: "/api/admin/users/{userId}",
	operationId: "inspectUser",
	summary: "Look at a user",
	description: "How many chats and runs the user has, and the newest of both.",
	tags: ["Admin"],
	security: operatorSecurity,
	middleware: requireOperator,
	request: { params: userIdParameter },
	responses: {
		200: json(UserLook, "The user's chats and runs"),
		...errors(...OPERATOR_ERRORS, "USER_NOT_FOUND"),
	},
});

export const handleInspectUser: RouteHandler<typeof inspectUserRoute, AppEnv> = async (c) => {
	const userId = await aboutUser(c, c.req.valid("param").userId);
	const user = await inspectUser(c.var.scope, userId);
	return c.json({ data: { user } }, 200, { "cache-control": "no-store" });
};
