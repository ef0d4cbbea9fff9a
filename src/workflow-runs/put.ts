import { createRoute, type RouteHandler, z } from "@hono/zod-openapi";
import type { AppEnv } from "../app-env.ts";
import { jsonBody } from "../json-body.ts";
import { BODY_ERRORS, errors, RECORDER_ERRORS, recorderSecurity, requiredJson, written } from "../openapi.ts";
import { requireRecorder } from "../recorder/require-recorder.ts";
import { respondWritten } from "../respond.ts";
import { recordRun } from "./record.ts";
import { WorkflowRunReport } from "./report.ts";
import { Uuid, WorkflowRunItem } from "./schemas.ts";

export const putWorkflowRunRoute = createRoute({
	method: "put",
	path: "/api/chats/{chatId}/workflow-runs/{runId}",
	operationId: "recordWorkflowRun",
	summary: "Report one workflow run",
	description:
		"Merges the report into what is stored. It may come twice, late or out of order: the same reports end in the same run. " +
		"The body of a GET may be sent back as it is, with its envelope.",
	tags: ["Recording"],
	security: recorderSecurity,
	middleware: [requireRecorder, ...jsonBody],
	request: { params: z.object({ chatId: Uuid, runId: Uuid }), body: requiredJson(WorkflowRunReport) },
	responses: {
		200: written(WorkflowRunItem, "The merged run"),
		201: written(WorkflowRunItem, "The run, which is new"),
		...errors(...RECORDER_ERRORS, ...BODY_ERRORS, "INVALID_RUN_ID", "RUN_CONFLICT"),
	},
});

export const putWorkflowRun: RouteHandler<typeof putWorkflowRunRoute, AppEnv> = async (c) => {
	const { chatId, runId } = c.req.valid("param");
	const { result, bookmark } = await recordRun(c.var.scope, chatId, runId, c.req.valid("json"));
	respondWritten(c, bookmark);
	return c.json({ data: { workflowRun: result.run } }, result.created ? 201 : 200);
};
