import { z } from "@hono/zod-openapi";
import { MAX_ANSWER_BYTES } from "#protocol/limits.ts";
import type { JsonValue } from "#protocol/types.ts";
import { Uuid } from "../uuid.ts";

/*
 * The wire shapes. Each is a zod schema and, by `.openapi(name)`, a component of the published
 * OpenAPI document. Objects are strict: a field that is not named here is neither accepted nor served.
 */

export const STATUSES = ["pending", "running", "completed", "failed", "cancelled"] as const;

export const Status = z.enum(STATUSES).openapi("WorkflowRunStatus", {
	description:
		"pending: queued. running: in progress. completed: successful. failed: encountered an error. cancelled: was cancelled.",
});

const EXAMPLE_TIME = "2024-02-04T12:00:00.000Z";

const moment = z.iso.datetime({ precision: 3 });

const timestamp = (description: string) =>
	moment.nullable().openapi({ type: ["string", "null"], format: "date-time", description, example: EXAMPLE_TIME });

const Failure = z
	.strictObject({ message: z.string() })
	.openapi("WorkflowRunError", { description: "What went wrong; only where an error was recorded" });

const startedAt = timestamp("When it started: ISO 8601, UTC, milliseconds. Null until then");
const completedAt = timestamp("When it ended: ISO 8601, UTC, milliseconds. Null until then");

export type Status = z.infer<typeof Status>;

/** Whether a run or step of this status has ended. */
export const isTerminal = (status: Status) => status !== "pending" && status !== "running";

const Activity = z
	.strictObject({
		at: moment.openapi({ format: "date-time", description: "When this was so", example: EXAMPLE_TIME }),
		message: z.string().openapi({ description: "For people" }),
		waiting: z.boolean().optional().openapi({ description: "Whether it waits for somebody, as for an approval" }),
		progress: z.number().min(0).max(1).optional().openapi({ description: "How far it is" }),
	})
	.openapi("WorkflowRunActivity", { description: "What it is doing now; gone once it has ended" });

const Metrics = z
	.record(z.string(), z.number())
	.openapi("WorkflowRunMetrics", { description: "Up to 20 named numbers, such as tokens, cost, items" });

/** The optional fields that runs and steps share. Each is there only if it was recorded. */
const details = {
	output: (z.unknown() as unknown as z.ZodType<JsonValue>)
		.optional()
		.openapi({ description: "What came of it: any JSON" }),
	attempt: z.int().min(1).optional().openapi({ description: "Which try this is; left out means 1" }),
	activity: Activity.optional(),
	metrics: Metrics.optional(),
};

export const Step = z
	.strictObject({
		id: z.string().openapi({ example: "step-1", description: "Unique within its run" }),
		status: Status,
		startedAt,
		completedAt,
		error: Failure.optional(),
		...details,
		name: z.string().optional().openapi({ description: "Only where one was recorded" }),
		position: z
			.int()
			.min(0)
			.optional()
			.openapi({ description: "Where it stands in the run; only where one was recorded" }),
		parentId: z.string().optional().openapi({ description: "The step of this run that it is part of, by its id" }),
	})
	.openapi("WorkflowRunStep");

export type Step = z.infer<typeof Step>;

export const WorkflowRun = z
	.strictObject({
		id: Uuid,
		chatId: Uuid,
		workflowId: Uuid,
		status: Status,
		startedAt,
		completedAt,
		error: Failure.optional(),
		...details,
		workflowName: z.string().optional().openapi({ description: "What people know the workflow by" }),
		externalId: z.string().optional().openapi({ description: "The engine's own run id" }),
		messageId: z.string().optional().openapi({ description: "The chat message that set it off" }),
		parentRunId: Uuid.optional().openapi({ description: "The run that started this one" }),
		assumed: z.literal(true).optional().openapi({
			description:
				"Nobody reported this end: the service gave the run up, having heard nothing for long. A reported end replaces it, and so does any other news: the run is then what its reports say",
		}),
		steps: z.array(Step).openapi({ description: "By position (none last), then start (none last), then id" }),
	})
	.openapi("WorkflowRun");
export type WorkflowRun = z.infer<typeof WorkflowRun>;

export const WorkflowRunList = z
	.strictObject({
		data: z.strictObject({
			workflowRuns: z
				.array(WorkflowRun)
				.openapi({ description: "Not yet started first, then newest start first, ties by id descending" }),
			nextCursor: z
				.string()
				.nullable()
				.optional()
				.openapi({
					description: `Where to go on. With \`limit\` or \`cursor\`, null at the end; else only where a page of ${MAX_ANSWER_BYTES} bytes has no room for the others`,
				}),
		}),
	})
	.openapi("WorkflowRunList", {
		example: {
			data: {
				workflowRuns: [
					{
						id: "5b0c0f1e-6a39-4b61-9f0a-2f6b8f0e7d11",
						chatId: "550e8400-e29b-41d4-a716-446655440000",
						workflowId: "c2d29867-3d0b-4497-9191-18a9d8ee7830",
						status: "completed",
						startedAt: "2024-02-04T12:00:00.000Z",
						completedAt: "2024-02-04T12:01:30.000Z",
						steps: [
							{
								id: "step-1",
								status: "completed",
								startedAt: "2024-02-04T12:00:00.000Z",
								completedAt: "2024-02-04T12:00:45.000Z",
							},
						],
					},
				],
			},
		},
	});
export type WorkflowRunList = z.infer<typeof WorkflowRunList>;

const count = z.int().min(0).max(1_000).openapi({ description: "1,000 stands for 1,000 or more" });

export const ActiveRuns = z
	.strictObject({ data: z.strictObject({ pending: count, running: count }) })
	.openapi("ActiveWorkflowRuns", { example: { data: { pending: 1, running: 2 } } });
export type ActiveRuns = z.infer<typeof ActiveRuns>;

export const WorkflowRunItem = z
	.strictObject({ data: z.strictObject({ workflowRun: WorkflowRun }) })
	.openapi("WorkflowRunItem");
export type WorkflowRunItem = z.infer<typeof WorkflowRunItem>;

const warnings = z
	.array(z.string())
	.optional()
	.openapi({
		description: "Only where something of the report was left out, corrected, or not stored: what, and why",
		example: ["steps.3.colour: unknown field, left out"],
	});

export const RecordedWorkflowRun = z
	.strictObject({ data: z.strictObject({ workflowRun: WorkflowRun, warnings }) })
	.openapi("RecordedWorkflowRun");

export const RecordedWorkflowRuns = z
	.strictObject({
		data: z.strictObject({
			workflowRuns: z
				.array(WorkflowRun)
				.openapi({ description: "As they are stored now, in the order of the reports" }),
			created: z.array(Uuid).openapi({ description: "The ids of those that are new" }),
			truncated: z
				.array(Uuid)
				.optional()
				.openapi({
					description: `Only where the answer would be over ${MAX_ANSWER_BYTES} bytes: the ids of those that come without their steps and optional fields. They are stored whole`,
				}),
			warnings,
		}),
	})
	.openapi("RecordedWorkflowRuns");
