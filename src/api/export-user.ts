import { createRoute, type RouteHandler, z } from "@hono/zod-openapi";
import { requireOperator } from "../access/require-operator.ts";
import { ServiceError } from "../errors.ts";
import type { AppEnv } from "../http/app-env.ts";
import { errors, OPERATOR_ERRORS, operatorSecurity } from "../http/openapi.ts";
import { headers } from "../http/openapi-headers.ts";
import { decodePlace, EXPORT_START, exportUser } from "../workflow-runs/export-user.ts";
import { aboutUser, userIdParameter } from "./user-id-parameter.ts";

export const exportUserRoute = createRoute({
	method: "get",
	path: "/api/users/{userId}/export",
	operationId: "exportUser",
	summary: "Export a user's data",
	description:
		"All that is stored of the user, deleted chats included, as NDJSON that `npm run import` takes: a run a line, with the " +
		"owner's `userId`; for a chat that was deleted (`deletedAt`, behind its runs) or has no runs, a line of its own; " +
		'and, now and then and at the end, `{"nextCursor": …}`. Only if the last line has `null` there, that was all.',
	tags: ["Personal data"],
	security: operatorSecurity,
	middleware: requireOperator,
	request: {
		params: userIdParameter,
		query: z.object({
			cursor: z
				.string()
				.optional()
				.openapi({ description: "The last `nextCursor` of an export that was not all, as it came: goes on behind it" }),
		}),
	},
	responses: {
		200: {
			description: "The export",
			headers,
			content: {
				"application/x-ndjson": {
					schema: z.string().openapi({ example: '{"userId":"demo-user","id":"5b0c0f1e-…"}\n' }),
				},
			},
		},
		...errors(...OPERATOR_ERRORS),
	},
});

export const handleExportUser: RouteHandler<typeof exportUserRoute, AppEnv> = async (c) => {
	const userId = await aboutUser(c, c.req.valid("param").userId);
	const { cursor } = c.req.valid("query");
	const from = cursor === undefined ? EXPORT_START : decodePlace(cursor);
	if (!from) throw new ServiceError("INVALID_PARAMETER", "cursor: is not a cursor that this service gave out");
	return c.body(await exportUser(c.var.scope, userId, from), 200, {
		"content-type": "application/x-ndjson",
		"content-disposition": 'attachment; filename="export.ndjson"',
		"cache-control": "no-store",
	}) as never;
};
