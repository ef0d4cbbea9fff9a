import { z } from "@hono/zod-openapi";
import {
	MAX_ID,
	MAX_MESSAGE,
	MAX_METRICS,
	MAX_NAME,
	MAX_OUTPUT_BYTES,
	MAX_REPORTED_STEPS,
	MAX_STEPS,
} from "#protocol/limits.ts";
import type { JsonValue } from "#protocol/types.ts";
import { Uuid } from "../uuid.ts";
import { isTerminal, Status } from "./schemas.ts";

/*
 * The fields of a run and a step in a report. Timestamps are brought into the form that is served. Text for people may be
 * of any length here: the merge cuts it.
 */

const SERVED = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** A time as callers write it. Its output is a timestamp as it is served. */
export const Moment = z.iso
	.datetime({
		offset: true,
		error: "must be an ISO 8601 date and time with a time zone, e.g. 2024-02-04T12:00:00.000Z",
	})
	.transform((text, context) => {
		const time = Date.parse(text);
		// With an offset, a time in the first or last year may need more than the four digits that are served.
		const served = Number.isNaN(time) ? "" : new Date(time).toISOString();
		if (SERVED.test(served)) return served;
		context.addIssue({ code: "custom", message: "must lie in the years 0000 to 9999, UTC" });
		return z.NEVER;
	})
	.openapi({
		type: "string",
		format: "date-time",
		description:
			"ISO 8601 with a time zone, to the millisecond. For one before 2000 or more than a day ahead the time of receipt is taken",
		example: "2024-02-04T12:00:00.000Z",
	});

const ReportedTimestamp = Moment.nullish()
	.transform((timestamp) => timestamp ?? null)
	.openapi({
		type: ["string", "null"],
		format: "date-time",
		description: "ISO 8601 with a time zone, to the millisecond. Null, or left out: not yet",
		example: "2024-02-04T12:00:00.000Z",
	});

const cut = (max: number) => `Longer than ${max} characters it is cut`;

export const ReportedError = z
	.strictObject({ message: z.string().openapi({ description: cut(MAX_MESSAGE) }) })
	.openapi("WorkflowRunErrorReport", { description: "What went wrong" });

export const ReportedActivity = z
	.strictObject({
		at: Moment,
		message: z.string().openapi({ description: `For people. ${cut(MAX_MESSAGE)}` }),
		waiting: z.boolean().optional().openapi({ description: "Whether it waits for somebody, as for an approval" }),
		progress: z.number().min(0).max(1).optional().openapi({ description: "How far it is" }),
	})
	.openapi("WorkflowRunActivityReport", { description: "What it is doing now. Once it has ended, it is dropped" });

/** The fields that runs and steps share. */
const progress = {
	status: Status,
	startedAt: ReportedTimestamp,
	completedAt: ReportedTimestamp,
	error: ReportedError.optional(),
	output: (z.unknown() as unknown as z.ZodType<JsonValue>)
		.optional()
		.openapi({ description: `What came of it: any JSON. Over ${MAX_OUTPUT_BYTES} bytes it is left out` }),
	attempt: z.int().min(1).optional().openapi({
		description: "Which try this is; left out means 1. A report of a higher one counts before all others",
	}),
	activity: ReportedActivity.optional(),
	metrics: z
		.record(z.string(), z.number())
		.optional()
		.openapi({ description: `Up to ${MAX_METRICS} named numbers, such as tokens, cost, items. The highest counts` }),
};

interface ReportedProgress {
	readonly status: Status;
	readonly startedAt: string | null;
	readonly completedAt: string | null;
	readonly assumed?: true | undefined;
}

/** Which timestamps a status may have, and whether it may be assumed. */
export function checkProgress({ value, issues }: z.core.ParsePayload<ReportedProgress>): void {
	const { status, startedAt, completedAt, assumed } = value;
	const refuse = (message: string, path: keyof ReportedProgress = "completedAt") =>
		void issues.push({ code: "custom", path: [path], message, input: value[path] });
	if (isTerminal(status) && completedAt === null) refuse(`is required with status ${status}`);
	else if (!isTerminal(status) && completedAt !== null) refuse(`must be null with status ${status}`);
	else if (startedAt !== null && completedAt !== null && completedAt < startedAt)
		refuse("must not be before startedAt");
	else if (!isTerminal(status) && assumed) refuse(`must be left out with status ${status}`, "assumed");
}

const foreignId = () => z.string().min(1).max(MAX_ID);

const StepFields = z.strictObject({
	id: foreignId().openapi({ description: "Unique within its run", example: "step-1" }),
	...progress,
	name: z
		.string()
		.optional()
		.openapi({ description: cut(MAX_NAME) }),
	position: z.int().min(0).optional().openapi({ description: "Where it stands in the run" }),
	parentId: foreignId().optional().openapi({ description: "The step of this run that it is part of, by its id" }),
});

/** The names of a step's fields. */
export const STEP_FIELDS = Object.keys(StepFields.shape);

const StepReport = StepFields.check(checkProgress).openapi("WorkflowRunStepReport");

/** The fields of a run beside its id. */
export const runFields = {
	workflowId: Uuid,
	...progress,
	workflowName: z
		.string()
		.optional()
		.openapi({ description: `What people know the workflow by. ${cut(MAX_NAME)}` }),
	externalId: foreignId().optional().openapi({ description: "The engine's own run id", example: "wrun_01J9ZC0V" }),
	messageId: foreignId().optional().openapi({ description: "The chat message that set it off" }),
	parentRunId: Uuid.optional().openapi({ description: "The run that started this one" }),
	assumed: z
		.boolean()
		.optional()
		.transform((assumed) => assumed || undefined)
		.openapi({
			description:
				"Nobody reported this end: what gave the run up assumes it. Only an end that is not assumed, or a higher attempt, replaces it",
		}),
	steps: z
		.array(StepReport)
		.max(MAX_REPORTED_STEPS)
		.check(({ value, issues }) => {
			const seen = new Set<string>();
			for (const [index, { id }] of value.entries()) {
				if (seen.has(id)) {
					issues.push({ code: "custom", path: [index, "id"], message: "is another step's id too", input: id });
				}
				seen.add(id);
			}
		})
		// Not by `default`: generators would make the field required.
		.optional()
		.transform((steps) => steps ?? [])
		.openapi({
			description: `In any order. A step that is left out stays as it was. Of more than ${MAX_STEPS} the first by id are kept`,
		}),
	chatId: Uuid.optional().openapi({ description: "If there, the same as in the path" }),
};
