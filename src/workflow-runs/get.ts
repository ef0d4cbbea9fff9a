import { createRoute, type RouteHandler, z } from "@hono/zod-openapi";
import type { AppEnv } from "../app-env";
import { forOwner } from "../chats/owner";
import { ServiceError } from "../errors";
import { errors, json, SESSION_ERRORS, sessionSecurity } from "../openapi";
import { respondWithJson } from "../respond";
import { requireSession } from "../session/require-session";
import { runJson } from "./json";
import { readChatRuns } from "./read";
import { Uuid, WorkflowRunItem } from "./schemas";

export const getWorkflowRunRoute = createRoute({
	method: "get",
	path: "/api/chats/{chatId}/workflow-runs/{runId}",
	operationId: "getWorkflowRun",
	summary: "Get one workflow run",
	description: "One workflow run of a chat, for the chat's owner.",
	tags: ["Workflow runs"],
	security: sessionSecurity,
	middleware: requireSession,
	request: { params: z.object({ chatId: Uuid, runId: Uuid }) },
	responses: {
		200: json(WorkflowRunItem, "The workflow run"),
		...errors(...SESSION_ERRORS, "INVALID_RUN_ID", "RUN_NOT_FOUND"),
	},
});

export const getWorkflowRun: RouteHandler<typeof getWorkflowRunRoute, AppEnv> = async (c) => {
	const { chatId, runId } = c.req.valid("param");
	const { runs, revision } = await forOwner(c.var.session, readChatRuns(c.env.DB, chatId, { runId }));
	const [run] = runs;
	if (!run) throw new ServiceError("RUN_NOT_FOUND");
	return respondWithJson<WorkflowRunItem>(c, `{"data":{"workflowRun":${runJson(run)}}}`, revision);
};
