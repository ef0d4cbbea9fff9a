import { createRoute, type RouteHandler, z } from "@hono/zod-openapi";
import { MAX_ID, MAX_NAME } from "#protocol/limits.ts";
import { requireRecorder } from "../access/require-recorder.ts";
import type { AppEnv } from "../http/app-env.ts";
import { limitBody, readUtf8 } from "../http/body.ts";
import { BODY_ERRORS, errors, RECORDER_ERRORS, recorderSecurity, written } from "../http/openapi.ts";
import { respondWritten } from "../http/respond.ts";
import { Uuid } from "../uuid.ts";
import { anyWarnings, toRecordedRuns } from "../workflow-runs/record.ts";
import { recordAgUiEvents } from "../workflow-runs/record-ag-ui.ts";
import { RecordedWorkflowRuns } from "../workflow-runs/schemas.ts";
import { EVENTS_MEDIA_TYPE, EVENTS_MEDIA_TYPES, MAX_EVENTS, parseEvents } from "./ag-ui-body.ts";

const Query = z.object({
	workflow: z
		.string()
		.min(1)
		.max(MAX_NAME)
		.default("ag-ui")
		.openapi({ description: "The workflow's name, which AG-UI does not tell", example: "researcher" }),
	runId: z
		.string()
		.min(1)
		.max(MAX_ID)
		.optional()
		.openapi({ description: "The AG-UI id of the run that the events belong to, where none of them says it" }),
	messageId: z.string().min(1).max(MAX_ID).optional().openapi({ description: "The chat message that set the run off" }),
	outputs: z
		.enum(["true", "false"])
		.default("false")
		.openapi({ description: "Whether results of runs and tool calls are recorded; the chat's owner can read them" }),
});

const example = [
	{ type: "RUN_STARTED", threadId: "thread-1", runId: "run-1", timestamp: 1707048000000 },
	{ type: "STEP_STARTED", stepName: "search", timestamp: 1707048001000 },
	{ type: "STEP_FINISHED", stepName: "search", timestamp: 1707048045000 },
	{ type: "RUN_FINISHED", threadId: "thread-1", runId: "run-1", timestamp: 1707048090000 },
];

/** Component `AgUiEvents`. Not zod: what is checked is checked with the event's index. */
export const agUiEventsSchema = {
	type: "array" as const,
	items: {
		type: "object" as const,
		required: ["type"],
		properties: { type: { type: "string" as const } },
		additionalProperties: true,
	},
	description: "Events of AG-UI 1.0. What the service does not use is ignored",
	example,
};

const asText = (write: (json: string) => string) => ({
	schema: { type: "string" as const },
	example: example.map((event) => write(JSON.stringify(event))).join(""),
});

const body = {
	required: true,
	description: `Up to ${MAX_EVENTS} events`,
	content: {
		"application/json": { schema: { $ref: "#/components/schemas/AgUiEvents" } },
		"application/x-ndjson": asText((json) => `${json}\n`),
		"text/event-stream": asText((json) => `data: ${json}\n\n`),
	},
};

export const recordAgUiEventsRoute = createRoute({
	method: "post",
	path: "/api/chats/{chatId}/ag-ui-events",
	operationId: "recordAgUiEvents",
	summary: "Record AG-UI events",
	description:
		"Records the runs and steps that events of AG-UI 1.0 tell of: RUN_*, STEP_*, TOOL_CALL_*, SUBAGENT_*. Others are " +
		"ignored. From RUN_STARTED on they may come again and again. A body that begins later goes on with what is " +
		"recorded: such parts are sent one after the other, their events with a timestamp.",
	tags: ["Recording"],
	security: recorderSecurity,
	middleware: [requireRecorder, limitBody],
	request: { params: z.object({ chatId: Uuid }), query: Query, body },
	responses: {
		200: written(RecordedWorkflowRuns, "The merged runs"),
		201: written(RecordedWorkflowRuns, "The merged runs, of which some are new"),
		...errors(
			...RECORDER_ERRORS,
			...BODY_ERRORS,
			"INVALID_PARAMETER",
			"RUN_CONFLICT",
			"HISTORY_FULL",
			"REPORT_TOO_LARGE",
		),
	},
});

export const handleRecordAgUiEvents: RouteHandler<typeof recordAgUiEventsRoute, AppEnv> = async (c) => {
	const { chatId } = c.req.valid("param");
	const { outputs, runId, ...options } = c.req.valid("query");
	const refusal = `The body must be ${EVENTS_MEDIA_TYPES}, without a content encoding`;
	const text = await readUtf8(c, EVENTS_MEDIA_TYPE, refusal);
	const events = parseEvents(c.req.header("content-type") ?? "", text);
	const { result, bookmark } = await recordAgUiEvents(c.var.scope, chatId, {
		...options,
		outputs: outputs === "true",
		events,
		runId,
		now: Date.now(),
	});
	respondWritten(c, bookmark);
	const data = { ...toRecordedRuns(result.recorded), ...anyWarnings(result, result.recorded) };
	return c.json({ data }, data.created.length > 0 ? 201 : 200);
};
