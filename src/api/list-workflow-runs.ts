import { createRoute, type RouteHandler, z } from "@hono/zod-openapi";
import { MAX_LIMIT } from "#protocol/limits.ts";
import { requireReader } from "../access/require-reader.ts";
import type { AppEnv } from "../http/app-env.ts";
import { cacheable, errors, readerSecurity, SESSION_ERRORS } from "../http/openapi.ts";
import { ifNoneMatchParameter } from "../http/openapi-headers.ts";
import { isUnread, respondWithJson } from "../http/respond.ts";
import { Uuid } from "../uuid.ts";
import { decodeCursor } from "../workflow-runs/cursor.ts";
import { CACHE_STATUS, openHistory } from "../workflow-runs/history.ts";
import { Status, WorkflowRunList } from "../workflow-runs/schemas.ts";
import { readSlice } from "../workflow-runs/slice.ts";
import { bookmarkParameter, readBookmark } from "./bookmark-parameter.ts";

const Query = z.object({
	status: z
		// Also repeated, as many clients send a list.
		.string()
		.or(z.array(z.string()))
		.transform((value) => [value].flat().join().split(","))
		.pipe(z.array(Status))
		// Each once: what a caller repeats must not reach D1 as often.
		.transform((statuses) => [...new Set(statuses)])
		.optional()
		.openapi({
			type: "array",
			items: { $ref: "#/components/schemas/WorkflowRunStatus" },
			description: "Only runs of these statuses, separated by commas or repeated",
			example: ["running", "pending"],
			param: { style: "form", explode: false },
		}),
	limit: z
		.string()
		.regex(/^[1-9]\d{0,2}$/, `must be a whole number from 1 to ${MAX_LIMIT}`)
		.transform(Number)
		.refine((limit) => limit <= MAX_LIMIT, `must be a whole number from 1 to ${MAX_LIMIT}`)
		.optional()
		.openapi({ type: "integer", minimum: 1, maximum: MAX_LIMIT, description: "At most this many runs" }),
	cursor: z
		.string()
		.transform((text, context) => {
			const position = decodeCursor(text);
			if (position) return position;
			context.addIssue({ code: "custom", message: "is not a cursor that this service gave out" });
			return z.NEVER;
		})
		.optional()
		.openapi({ type: "string", description: "A `nextCursor`, as it came: the runs behind it" }),
});

export const listWorkflowRunsRoute = createRoute({
	method: "get",
	path: "/api/chats/{chatId}/workflow-runs",
	operationId: "listWorkflowRuns",
	summary: "Get a chat's workflow runs",
	description:
		"All workflow runs of a chat, for its owner. No query parameter is needed; unknown ones are ignored. " +
		"With any of them, the answer is a page of up to 4 MB: `nextCursor` says where to go on.",
	tags: ["Workflow runs"],
	security: readerSecurity,
	middleware: requireReader,
	request: { params: z.object({ chatId: Uuid }), query: Query },
	parameters: [bookmarkParameter, ifNoneMatchParameter],
	responses: {
		...cacheable(WorkflowRunList, "The chat's workflow runs"),
		...errors(...SESSION_ERRORS, "INVALID_PARAMETER"),
	},
});

export const handleListWorkflowRuns: RouteHandler<typeof listWorkflowRunsRoute, AppEnv> = async (c) => {
	const { scope, session } = c.var;
	const { chatId } = c.req.valid("param");
	const { status, limit, cursor: after } = c.req.valid("query");
	const bookmark = await readBookmark(c);
	if (status || limit || after) {
		const slice = await readSlice(scope, session, chatId, { status, limit, after }, bookmark);
		return respondWithJson<WorkflowRunList>(c, slice, slice);
	}
	const history = await openHistory(scope, session, chatId, { bookmark, isKnown: (etag) => isUnread(c, etag) });
	return respondWithJson<WorkflowRunList>(c, history, { ...history, cacheStatus: CACHE_STATUS[history.cacheUse] });
};
