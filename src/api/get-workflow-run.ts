import { createRoute, type RouteHandler, z } from "@hono/zod-openapi";
import { requireReader } from "../access/require-reader.ts";
import type { AppEnv } from "../http/app-env.ts";
import { cacheable, errors, readerSecurity, SESSION_ERRORS } from "../http/openapi.ts";
import { ifNoneMatchParameter } from "../http/openapi-headers.ts";
import { respondWithJson } from "../http/respond.ts";
import { Uuid } from "../uuid.ts";
import { runBody } from "../workflow-runs/json.ts";
import { readRun } from "../workflow-runs/read.ts";
import { WorkflowRunItem } from "../workflow-runs/schemas.ts";
import { bookmarkParameter, readBookmark } from "./bookmark-parameter.ts";

export const getWorkflowRunRoute = createRoute({
	method: "get",
	path: "/api/chats/{chatId}/workflow-runs/{runId}",
	operationId: "getWorkflowRun",
	summary: "Get one workflow run",
	description: "One workflow run of a chat, for the chat's owner.",
	tags: ["Workflow runs"],
	security: readerSecurity,
	middleware: requireReader,
	request: { params: z.object({ chatId: Uuid, runId: Uuid }) },
	parameters: [bookmarkParameter, ifNoneMatchParameter],
	responses: {
		...cacheable(WorkflowRunItem, "The workflow run"),
		...errors(...SESSION_ERRORS, "INVALID_RUN_ID", "INVALID_PARAMETER", "RUN_NOT_FOUND"),
	},
});

export const handleGetWorkflowRun: RouteHandler<typeof getWorkflowRunRoute, AppEnv> = async (c) => {
	const { chatId, runId } = c.req.valid("param");
	const bookmark = await readBookmark(c);
	const { run, bookmark: seen } = await readRun(c.var.scope, c.var.session, chatId, runId, bookmark);
	return respondWithJson<WorkflowRunItem>(c, await runBody(run), { cacheStatus: "fwd=bypass", bookmark: seen });
};
