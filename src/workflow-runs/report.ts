import { z } from "@hono/zod-openapi";
import { MAX_MESSAGE, MAX_NAME, MAX_RUNS, MAX_STEPS } from "#protocol/limits.ts";
import { Uuid } from "../uuid.ts";
import { isTerminal, Status } from "./schemas.ts";

/*
 * A recorder's report. It has the shape that the list returns, so that the JSON of a GET can be PUT back as it is.
 * Empty fields may be left out. Timestamps are brought into the form that is served.
 */

const SERVED = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

const ReportedTimestamp = z.iso
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
	.nullish()
	.transform((timestamp) => timestamp ?? null)
	.openapi({
		type: ["string", "null"],
		format: "date-time",
		description: "ISO 8601 with a time zone, to the millisecond. Null, or left out: not yet",
		example: "2024-02-04T12:00:00.000Z",
	});

const ReportedError = z
	.strictObject({ message: z.string().max(MAX_MESSAGE) })
	.optional()
	.openapi({ description: "What went wrong" });

interface ReportedProgress {
	readonly status: Status;
	readonly startedAt: string | null;
	readonly completedAt: string | null;
}

/** Which timestamps a status may have. */
function checkTimestamps({ value, issues }: z.core.ParsePayload<ReportedProgress>): void {
	const { status, startedAt, completedAt } = value;
	const refuse = (message: string) =>
		void issues.push({ code: "custom", path: ["completedAt"], message, input: completedAt });
	if (isTerminal(status) && completedAt === null) refuse(`is required with status ${status}`);
	else if (!isTerminal(status) && completedAt !== null) refuse(`must be null with status ${status}`);
	else if (startedAt !== null && completedAt !== null && completedAt < startedAt)
		refuse("must not be before startedAt");
}

const StepReport = z
	.strictObject({
		id: z.string().min(1).max(MAX_NAME).openapi({ description: "Unique within its run", example: "step-1" }),
		status: Status,
		startedAt: ReportedTimestamp,
		completedAt: ReportedTimestamp,
		error: ReportedError,
		name: z.string().max(MAX_NAME).optional(),
		position: z.int().min(0).optional().openapi({ description: "Where it stands in the run" }),
	})
	.check(checkTimestamps)
	.openapi("WorkflowRunStepReport");

const EXAMPLE = {
	workflowId: "c2d29867-3d0b-4497-9191-18a9d8ee7830",
	status: "failed",
	startedAt: "2024-02-04T12:00:00.000Z",
	completedAt: "2024-02-04T12:01:30.000Z",
	error: { message: 'Step "Summarise" failed' },
	steps: [
		{
			id: "step-1",
			name: "Fetch sources",
			position: 1,
			status: "completed",
			startedAt: "2024-02-04T12:00:00.000Z",
			completedAt: "2024-02-04T12:00:45.000Z",
		},
		{
			id: "step-2",
			name: "Summarise",
			position: 2,
			status: "failed",
			startedAt: "2024-02-04T12:00:45.000Z",
			completedAt: "2024-02-04T12:01:30.000Z",
			error: { message: "The model did not answer within 30 s" },
		},
	],
};
const EXAMPLE_ID = "0a4c1de2-93c7-4c2b-8f0e-1d2c3b4a5e10";

const fields = {
	workflowId: Uuid,
	status: Status,
	startedAt: ReportedTimestamp,
	completedAt: ReportedTimestamp,
	error: ReportedError,
	steps: z
		.array(StepReport)
		.max(MAX_STEPS)
		.check(({ value, issues }) => {
			const seen = new Set<string>();
			for (const [index, { id }] of value.entries()) {
				if (seen.has(id)) {
					issues.push({ code: "custom", path: [index, "id"], message: "is another step's id too", input: id });
				}
				seen.add(id);
			}
		})
		// Not by `default`, of which generators make a field that must be there.
		.optional()
		.transform((steps) => steps ?? [])
		.openapi({ description: "In any order. A step that is left out stays as it was" }),
	chatId: Uuid.optional().openapi({ description: "If there, the same as in the path" }),
};

/** Also takes the answer of a GET with its envelope, so that it can be sent back as it is. */
function orServed<T extends z.ZodType>(schema: T, ...envelope: string[]): T {
	const open = (body: unknown) => {
		let inner = body;
		for (const key of envelope) {
			if (typeof inner !== "object" || inner === null || !Object.hasOwn(inner, key)) return body;
			inner = (inner as Record<string, unknown>)[key];
		}
		return inner;
	};
	return z.preprocess(open, schema) as unknown as T;
}

/** One run, its id in the path. */
export const WorkflowRunReport = orServed(
	z
		.strictObject({ id: Uuid.optional().openapi({ description: "If there, the same as in the path" }), ...fields })
		.check(checkTimestamps)
		.openapi("WorkflowRunReport", { example: EXAMPLE }),
	"data",
	"workflowRun",
);
export type WorkflowRunReport = z.infer<typeof WorkflowRunReport>;

/** Several runs, each with its id. */
export const WorkflowRunReports = orServed(
	z
		.strictObject({
			workflowRuns: z
				.array(
					z
						.strictObject({ id: Uuid, ...fields })
						.check(checkTimestamps)
						.openapi("IdentifiedWorkflowRunReport"),
				)
				.min(1)
				.max(MAX_RUNS),
			nextCursor: z
				.string()
				.nullish()
				.openapi({ description: "Ignored. A page of a GET has it, and may be sent back as it is" }),
		})
		.openapi("WorkflowRunReports", {
			example: {
				workflowRuns: [
					{ id: EXAMPLE_ID, ...EXAMPLE },
					{ id: EXAMPLE_ID.replace(/10$/, "11"), workflowId: EXAMPLE.workflowId, status: "pending" },
				],
			},
		}),
	"data",
);
export type WorkflowRunReports = z.infer<typeof WorkflowRunReports>;
