import { createRoute, type RouteHandler, z } from "@hono/zod-openapi";
import { requireReader } from "../access/require-reader.ts";
import type { AppEnv } from "../http/app-env.ts";
import { cacheable, errors, readerSecurity, SESSION_ERRORS } from "../http/openapi.ts";
import { ifNoneMatchParameter } from "../http/openapi-headers.ts";
import { isUnread, respondWithJson } from "../http/respond.ts";
import { Uuid } from "../uuid.ts";
import { CACHE_STATUS, openHistory } from "../workflow-runs/history.ts";
import { WorkflowRunList } from "../workflow-runs/schemas.ts";
import { readSlice } from "../workflow-runs/slice.ts";
import { bookmarkParameter, readBookmark } from "./bookmark-parameter.ts";
import { listQuery } from "./list-query.ts";

const Query = z.object(listQuery);

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
	const { cursor: after, steps, ...rest } = c.req.valid("query");
	const slice = { ...rest, after, withoutSteps: steps === "none" || undefined };
	const bookmark = await readBookmark(c);
	if (Object.values(slice).some((value) => value !== undefined)) {
		const found = await readSlice(scope, session, chatId, slice, bookmark);
		return respondWithJson<WorkflowRunList>(c, found, found);
	}
	const history = await openHistory(scope, session, chatId, { bookmark, isKnown: (etag) => isUnread(c, etag) });
	return respondWithJson<WorkflowRunList>(c, history, { ...history, cacheStatus: CACHE_STATUS[history.cacheUse] });
};
