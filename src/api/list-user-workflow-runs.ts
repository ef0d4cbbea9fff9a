import { createRoute, type RouteHandler, z } from "@hono/zod-openapi";
import { requireReader } from "../access/require-reader.ts";
import type { AppEnv } from "../http/app-env.ts";
import { cacheable, errors, readerSecurity, USER_ERRORS } from "../http/openapi.ts";
import { ifNoneMatchParameter } from "../http/openapi-headers.ts";
import { respondWithJson } from "../http/respond.ts";
import { readUserRuns } from "../workflow-runs/read-user-runs.ts";
import { WorkflowRunList } from "../workflow-runs/schemas.ts";
import { bookmarkParameter, readBookmark } from "./bookmark-parameter.ts";
import { listQuery } from "./list-query.ts";

/** Runs in a page where the caller does not say. */
const DEFAULT_LIMIT = 50;

export const listUserWorkflowRunsRoute = createRoute({
	method: "get",
	path: "/api/workflow-runs",
	operationId: "listUserWorkflowRuns",
	summary: "Get a user's workflow runs over all chats",
	description:
		"A page of the runs of all chats that the caller owns, in the order of a chat's list. There is always a limit: 50 " +
		"unless it is given. A read token for one chat is refused.",
	tags: ["Workflow runs"],
	security: readerSecurity,
	middleware: requireReader,
	request: { query: z.object(listQuery) },
	parameters: [bookmarkParameter, ifNoneMatchParameter],
	responses: {
		...cacheable(WorkflowRunList, "A page of the user's workflow runs"),
		...errors(...USER_ERRORS, "INVALID_PARAMETER"),
	},
});

export const handleListUserWorkflowRuns: RouteHandler<typeof listUserWorkflowRunsRoute, AppEnv> = async (c) => {
	const { cursor: after, steps, limit = DEFAULT_LIMIT, ...rest } = c.req.valid("query");
	const slice = { ...rest, after, limit, withoutSteps: steps === "none" || undefined };
	const bookmark = await readBookmark(c);
	const page = await readUserRuns(c.var.scope, c.var.session, slice, bookmark);
	return respondWithJson<WorkflowRunList>(c, page, { cacheStatus: "fwd=bypass", bookmark: page.bookmark });
};
