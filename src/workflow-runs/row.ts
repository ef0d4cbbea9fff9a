import { latestOf, momentsOf } from "#protocol/moments.ts";
import { textBytes } from "#protocol/text.ts";
import { RUN_BYTES } from "../db/history-bytes.ts";
import type { workflowRuns } from "../db/schema.ts";
import type { WorkflowRun } from "./schemas.ts";
import type { ToldRun } from "./told.ts";

/** A run that is stored in D1. */
export interface StoredRun extends ToldRun {
	/** What its reports say, merged. */
	readonly run: WorkflowRun;
	/** The run as it is served, if it was given up; see `give-up.ts`. */
	readonly givenUp?: WorkflowRun | undefined;
	/** The chat's revision with which it last changed. */
	readonly revision: string;
	/** When the service last heard news of it, within some minutes. */
	readonly heardAt: string;
}

type Row = typeof workflowRuns.$inferSelect;

/** A run from its row. */
export function parseRow(row: Row): StoredRun {
	const served = parseServed(row);
	const before: Partial<Row> = JSON.parse(row.givenUp ?? "{}");
	// Written again since, by a version that does not know the column, it is what it says.
	const isGivenUp = before.revision === row.revision;
	const run = isGivenUp ? parseServed({ ...row, ...before, completedAt: null }) : served;
	return {
		run,
		givenUp: isGivenUp ? served : undefined,
		revision: row.revision,
		heardAt: row.heardAt ?? row.createdAt,
		toldAt: row.toldAt ?? latestOf(momentsOf(run)),
	};
}

function parseServed(row: Row): WorkflowRun {
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
