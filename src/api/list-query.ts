import { z } from "@hono/zod-openapi";
import { MAX_LIMIT } from "#protocol/limits.ts";
import { decodeCursor } from "../workflow-runs/cursor.ts";
import { Moment } from "../workflow-runs/report-fields.ts";
import { Status } from "../workflow-runs/schemas.ts";

const moment = (description: string) =>
	Moment.optional().openapi({ type: "string", format: "date-time", description, example: "2024-02-04T12:00:00.000Z" });

/** The query parameters of the lists of runs. */
export const listQuery = {
	status: z
		// Also repeated, as many clients send a list.
		.string()
		.or(z.array(z.string()))
		.transform((value) => [value].flat().join().split(","))
		.pipe(z.array(Status))
		// Each once: what a caller repeats must not reach D1 as often.
		.transform((statuses) => [...new Set(statuses)])
		.optional()
		.openapi({
			type: "array",
			items: { $ref: "#/components/schemas/WorkflowRunStatus" },
			description: "Only runs of these statuses, separated by commas or repeated",
			example: ["running", "pending"],
			param: { style: "form", explode: false },
		}),
	limit: z
		.string()
		.regex(/^[1-9]\d{0,2}$/, `must be a whole number from 1 to ${MAX_LIMIT}`)
		.transform(Number)
		.refine((limit) => limit <= MAX_LIMIT, `must be a whole number from 1 to ${MAX_LIMIT}`)
		.optional()
		.openapi({ type: "integer", minimum: 1, maximum: MAX_LIMIT, description: "At most this many runs" }),
	cursor: z
		.string()
		.transform((text, context) => {
			const position = decodeCursor(text);
			if (position) return position;
			context.addIssue({ code: "custom", message: "is not a cursor that this service gave out" });
			return z.NEVER;
		})
		.optional()
		.openapi({ type: "string", description: "A `nextCursor`, as it came: the runs behind it" }),
	startedAfter: moment("Only runs that started at this time or later: ISO 8601 with a time zone"),
	startedBefore: moment("Only runs that started before this time: ISO 8601 with a time zone"),
	steps: z
		.enum(["none"])
		.optional()
		.openapi({ description: "none: `steps` is empty in each run, whatever steps it has. For lists that show none" }),
};
