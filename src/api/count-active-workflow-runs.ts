import { createRoute, type RouteHandler } from "@hono/zod-openapi";
import { requireReader } from "../access/require-reader.ts";
import type { AppEnv } from "../http/app-env.ts";
import { cacheable, errors, readerSecurity, USER_ERRORS } from "../http/openapi.ts";
import { ifNoneMatchParameter } from "../http/openapi-headers.ts";
import { respondWithJson } from "../http/respond.ts";
import { countActiveRuns } from "../workflow-runs/read-user-runs.ts";
import { ActiveRuns } from "../workflow-runs/schemas.ts";
import { bookmarkParameter, readBookmark } from "./bookmark-parameter.ts";

export const countActiveWorkflowRunsRoute = createRoute({
	method: "get",
	path: "/api/workflow-runs/active",
	operationId: "countActiveWorkflowRuns",
	summary: "Count a user's active workflow runs",
	description:
		"How many runs have not ended, over all chats that the caller owns: for a badge. A read token for one chat is refused.",
	tags: ["Workflow runs"],
	security: readerSecurity,
	middleware: requireReader,
	parameters: [bookmarkParameter, ifNoneMatchParameter],
	responses: { ...cacheable(ActiveRuns, "The counts"), ...errors(...USER_ERRORS, "INVALID_PARAMETER") },
});

export const handleCountActiveWorkflowRuns: RouteHandler<typeof countActiveWorkflowRunsRoute, AppEnv> = async (c) => {
	const bookmark = await readBookmark(c);
	const counts = await countActiveRuns(c.var.scope, c.var.session, bookmark);
	return respondWithJson<ActiveRuns>(c, counts, { cacheStatus: "fwd=bypass", bookmark: counts.bookmark });
};
