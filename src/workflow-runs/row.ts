import { textBytes } from "#protocol/text.ts";
import { RUN_BYTES } from "../db/history-bytes.ts";
import type { workflowRuns } from "../db/schema.ts";
import type { WorkflowRun } from "./schemas.ts";

/** A run from its row. */
export function parseRow(row: typeof workflowRuns.$inferSelect): WorkflowRun {
	const { id, chatId, workflowId, status, startedAt, completedAt, error, details, steps } = row;
	return {
		id,
		chatId,
		workflowId,
		status,
		startedAt,
		completedAt,
		...(error !== null && { error: JSON.parse(error) }),
		...JSON.parse(details),
		steps: JSON.parse(steps),
	};
}

/** The columns that change with reports. A field without a column is stored in `details`. */
export function toRow({
	id: _,
	chatId: __,
	workflowId: ___,
	status,
	startedAt,
	completedAt,
	error,
	steps,
	...details
}: WorkflowRun) {
	return {
		status,
		startedAt,
		completedAt,
		error: error ? JSON.stringify(error) : null,
		details: JSON.stringify(details),
		steps: JSON.stringify(steps),
	};
}

/** What a run takes, in bytes, as `runBytes` in SQL counts it. */
export function bytesOf(run: WorkflowRun): number {
	const { error, details, steps } = toRow(run);
	return textBytes(steps) + textBytes(details) + textBytes(error ?? "") + RUN_BYTES;
}
