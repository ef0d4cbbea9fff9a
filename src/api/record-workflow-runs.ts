import { createRoute, type RouteHandler, z } from "@hono/zod-openapi";
import { MAX_RUNS } from "#protocol/limits.ts";
import { requireRecorder } from "../access/require-recorder.ts";
import type { AppEnv } from "../http/app-env.ts";
import { requireJsonBody } from "../http/body.ts";
import { BODY_ERRORS, errors, RECORDER_ERRORS, recorderSecurity, requiredJson, written } from "../http/openapi.ts";
import { respondWritten } from "../http/respond.ts";
import { Uuid } from "../uuid.ts";
import { anyWarnings, recordRuns, toRecordedRuns } from "../workflow-runs/record.ts";
import { WorkflowRunReports } from "../workflow-runs/report.ts";
import { RecordedWorkflowRuns } from "../workflow-runs/schemas.ts";

export const recordWorkflowRunsRoute = createRoute({
	method: "patch",
	path: "/api/chats/{chatId}/workflow-runs",
	operationId: "recordWorkflowRuns",
	summary: "Report several workflow runs",
	description:
		`Merges 1 to ${MAX_RUNS} reports, as a PUT of each would. All of them are stored, or nothing. ` +
		"The body of a GET may be sent back as it is, with its envelope.",
	tags: ["Recording"],
	security: recorderSecurity,
	middleware: [requireRecorder, ...requireJsonBody],
	request: { params: z.object({ chatId: Uuid }), body: requiredJson(WorkflowRunReports) },
	responses: {
		200: written(RecordedWorkflowRuns, "The merged runs"),
		201: written(RecordedWorkflowRuns, "The merged runs, of which some are new"),
		...errors(...RECORDER_ERRORS, ...BODY_ERRORS, "RUN_CONFLICT", "HISTORY_FULL", "REPORT_TOO_LARGE"),
	},
});

export const handleRecordWorkflowRuns: RouteHandler<typeof recordWorkflowRunsRoute, AppEnv> = async (c) => {
	const { chatId } = c.req.valid("param");
	const report = c.req.valid("json");
	const { result, bookmark } = await recordRuns(c.var.scope, chatId, report.workflowRuns);
	respondWritten(c, bookmark);
	const data = { ...toRecordedRuns(result), ...anyWarnings(report, result) };
	return c.json({ data }, data.created.length > 0 ? 201 : 200);
};
