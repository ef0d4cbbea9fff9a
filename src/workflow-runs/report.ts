import { z } from "@hono/zod-openapi";
import { MAX_RUNS } from "#protocol/limits.ts";
import { Uuid } from "../uuid.ts";
import { type KnownFields, knownOf, leaveOut, Warnings } from "./leave-out.ts";
import { checkProgress, ReportedActivity, ReportedError, runFields, STEP_FIELDS } from "./report-fields.ts";

/*
 * A recorder's report. It has the shape that the list returns, so that the JSON of a GET can be PUT back as it is.
 * Empty fields may be left out.
 */

const EXAMPLE = {
	workflowId: "c2d29867-3d0b-4497-9191-18a9d8ee7830",
	workflowName: "Research",
	externalId: "wrun_01J9ZC0V",
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
			output: { sources: 12 },
		},
		{
			id: "step-2",
			name: "Summarise",
			position: 2,
			status: "failed",
			startedAt: "2024-02-04T12:00:45.000Z",
			completedAt: "2024-02-04T12:01:30.000Z",
			error: { message: "The model did not answer within 30 s" },
			attempt: 2,
			metrics: { tokens: 1800 },
		},
	],
};
const EXAMPLE_ID = "0a4c1de2-93c7-4c2b-8f0e-1d2c3b4a5e10";

const KNOWN: KnownFields = {
	run: ["id", ...Object.keys(runFields)],
	step: STEP_FIELDS,
	error: Object.keys(ReportedError.shape),
	activity: Object.keys(ReportedActivity.shape),
};

/** The service fills it in itself, with the parts of the body that it leaves out. */
const warnings = z
	.array(z.string())
	.optional()
	.transform((found) => found ?? [])
	.openapi({ description: "Ignored. The answer to a report has it, and may be sent back as it is" });

/**
 * Also takes the answer of a GET with its envelope, so that it can be sent back as it is.
 * @param tidy leaves out unknown fields
 */
function orServed<T extends z.ZodType>(
	schema: T,
	envelope: readonly string[],
	tidy: (body: unknown, warnings: Warnings) => unknown,
): T {
	const open = (body: unknown) => {
		let inner = body;
		for (const key of envelope) {
			if (typeof inner !== "object" || inner === null || !Object.hasOwn(inner, key)) return body;
			inner = (inner as Record<string, unknown>)[key];
		}
		return inner;
	};
	const prepare = (body: unknown) => {
		const found = new Warnings();
		const tidied = tidy(open(body), found);
		return typeof tidied === "object" && tidied !== null && !Array.isArray(tidied)
			? { ...tidied, warnings: found.list() }
			: tidied;
	};
	return z.preprocess(prepare, schema) as unknown as T;
}

/** One run, its id in the path. */
export const WorkflowRunReport = orServed(
	z
		.strictObject({
			id: Uuid.optional().openapi({ description: "If there, the same as in the path" }),
			...runFields,
			warnings,
		})
		.check(checkProgress)
		.openapi("WorkflowRunReport", { example: EXAMPLE }),
	["data", "workflowRun"],
	(body, found) => leaveOut(body, KNOWN, "", found),
);
export type WorkflowRunReport = z.infer<typeof WorkflowRunReport>;

const ReportList = z.strictObject({
	workflowRuns: z
		.array(
			z
				.strictObject({ id: Uuid, ...runFields })
				.check(checkProgress)
				.openapi("IdentifiedWorkflowRunReport"),
		)
		.min(1)
		.max(MAX_RUNS),
	nextCursor: z
		.string()
		.nullish()
		.openapi({ description: "Ignored. A page of a GET has it, and may be sent back as it is" }),
	truncated: z
		.array(z.string())
		.optional()
		.openapi({ description: "Ignored. The answer to a report has it, and may be sent back as it is" }),
	created: z
		.array(z.string())
		.optional()
		.openapi({ description: "Ignored. The answer to a report has it, and may be sent back as it is" }),
	warnings,
});
const LIST_FIELDS = Object.keys(ReportList.shape);

/** Several runs, each with its id. */
export const WorkflowRunReports = orServed(
	ReportList.openapi("WorkflowRunReports", {
		example: {
			workflowRuns: [
				{ id: EXAMPLE_ID, ...EXAMPLE },
				{ id: EXAMPLE_ID.replace(/10$/, "11"), workflowId: EXAMPLE.workflowId, status: "pending" },
			],
		},
	}),
	["data"],
	(body, found) => {
		const list = knownOf(body, LIST_FIELDS, "", found);
		const runs = (list as { workflowRuns?: unknown } | null)?.workflowRuns;
		if (!Array.isArray(runs)) return list;
		const tidied = runs.map((run, index) => leaveOut(run, KNOWN, `workflowRuns.${index}.`, found));
		return { ...(list as object), workflowRuns: tidied };
	},
);
export type WorkflowRunReports = z.infer<typeof WorkflowRunReports>;
