import { createRoute, type RouteHandler, z } from "@hono/zod-openapi";
import { requireRecorder } from "../access/require-recorder.ts";
import type { AppEnv } from "../http/app-env.ts";
import { requireJsonBody } from "../http/body.ts";
import { BODY_ERRORS, errors, RECORDER_ERRORS, recorderSecurity, requiredJson, written } from "../http/openapi.ts";
import { respondWritten } from "../http/respond.ts";
import { Uuid } from "../uuid.ts";
import { anyWarnings, recordRun } from "../workflow-runs/record.ts";
import { WorkflowRunReport } from "../workflow-runs/report.ts";
import { RecordedWorkflowRun } from "../workflow-runs/schemas.ts";

export const recordWorkflowRunRoute = createRoute({
	method: "put",
	path: "/api/chats/{chatId}/workflow-runs/{runId}",
	operationId: "recordWorkflowRun",
	summary: "Report one workflow run",
	description:
		"Merges the report into what is stored. It may come twice, late or out of order: the same reports end in the same run. " +
		"What the service does not know, or cannot keep, is left out and named in `warnings`. " +
		"The body of a GET may be sent back as it is, with its envelope.",
	tags: ["Recording"],
	security: recorderSecurity,
	middleware: [requireRecorder, ...requireJsonBody],
	request: { params: z.object({ chatId: Uuid, runId: Uuid }), body: requiredJson(WorkflowRunReport) },
	responses: {
		200: written(RecordedWorkflowRun, "The merged run"),
		201: written(RecordedWorkflowRun, "The run, which is new"),
		...errors(...RECORDER_ERRORS, ...BODY_ERRORS, "INVALID_RUN_ID", "RUN_CONFLICT", "HISTORY_FULL"),
	},
});

export const handleRecordWorkflowRun: RouteHandler<typeof recordWorkflowRunRoute, AppEnv> = async (c) => {
	const { chatId, runId } = c.req.valid("param");
	const report = c.req.valid("json");
	const { result, bookmark } = await recordRun(c.var.scope, chatId, runId, report);
	respondWritten(c, bookmark);
	const data = { workflowRun: result.run, ...anyWarnings(report, [result]) };
	return c.json({ data }, result.created ? 201 : 200);
};
