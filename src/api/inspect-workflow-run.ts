import { createRoute, type RouteHandler, z } from "@hono/zod-openapi";
import { requireOperator } from "../access/require-operator.ts";
import { inspectRun } from "../admin/run.ts";
import { RunLook } from "../admin/schemas.ts";
import type { AppEnv } from "../http/app-env.ts";
import { errors, json, OPERATOR_ERRORS, operatorSecurity } from "../http/openapi.ts";
import { Uuid } from "../uuid.ts";

export const inspectWorkflowRunRoute = createRoute({
	method: "get",
	path: "/api/admin/workflow-runs/{runId}",
	operationId: "inspectWorkflowRun",
	summary: "Look at a workflow run",
	description:
		"In whichever chat it is: how it stands, since when, what it waits for and its error. Its outputs stay private.",
	tags: ["Admin"],
	security: operatorSecurity,
	middleware: requireOperator,
	request: { params: z.object({ runId: Uuid }) },
	responses: {
		200: json(RunLook, "The workflow run"),
		...errors(...OPERATOR_ERRORS, "INVALID_RUN_ID", "RUN_NOT_FOUND"),
	},
});

export const handleInspectWorkflowRun: RouteHandler<typeof inspectWorkflowRunRoute, AppEnv> = async (c) => {
	const { runId } = c.req.valid("param");
	const workflowRun = await inspectRun(c.var.scope, runId);
	return c.json({ data: { workflowRun } }, 200, { "cache-control": "no-store" });
};
