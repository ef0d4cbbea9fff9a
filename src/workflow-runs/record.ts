import { mergeRuns } from "#protocol/merge.ts";
import { type Written, writeD1 } from "../db/write.ts";
import { ServiceError } from "../errors.ts";
import { MAX_STEPS } from "../limits.ts";
import type { Scope } from "../scope.ts";
import type { WorkflowRunReport, WorkflowRunReports } from "./report.ts";
import type { WorkflowRun } from "./schemas.ts";
import { type Change, readStored, writeChanges } from "./store.ts";

/** A run as it is stored after a report. */
export interface RecordedRun {
	readonly run: WorkflowRun;
	/** Whether the report made it. */
	readonly created: boolean;
}

/** A report of several runs as it is answered, over HTTP and RPC. */
export function toRecordedRuns(recorded: readonly RecordedRun[]): { workflowRuns: WorkflowRun[]; created: string[] } {
	return {
		workflowRuns: recorded.map(({ run }) => run),
		created: recorded.filter(({ created }) => created).map(({ run }) => run.id),
	};
}

/**
 * Records one run; see `recordRuns`.
 * @param runId lower-case UUID
 */
export async function recordRun(
	scope: Scope,
	chatId: string,
	runId: string,
	report: WorkflowRunReport,
): Promise<Written<RecordedRun>> {
	for (const [field, inPath] of [
		["id", runId],
		["chatId", chatId],
	] as const) {
		if ((report[field] ?? inPath) !== inPath)
			throw new ServiceError("INVALID_BODY", `${field}: is not the one in the path`);
	}
	const { result, bookmark } = await recordRuns(scope, chatId, [{ ...report, id: runId }]);
	return { result: result[0] as RecordedRun, bookmark };
}

/**
 * Merges reported runs into those that are stored: all of them, or none. Idempotent: a report that
 * changes nothing writes nothing, and leaves the chat's revision as it is.
 *
 * @param chatId lower-case UUID
 * @param reports of one chat; several of one run are merged
 * @returns the runs as they are stored now, each once, in the order of the reports
 * @throws {ServiceError} CHAT_NOT_FOUND, RUN_CONFLICT, INVALID_BODY if a report names another chat or the merged
 *   run has too many steps, or STORE_UNAVAILABLE: the same may then be sent again
 */
export async function recordRuns(
	scope: Scope,
	chatId: string,
	reports: WorkflowRunReports["workflowRuns"],
): Promise<Written<RecordedRun[]>> {
	const byId = new Map<string, WorkflowRun>();
	for (const [index, report] of reports.entries()) {
		if (report.chatId !== undefined && report.chatId !== chatId) {
			throw new ServiceError("INVALID_BODY", `workflowRuns.${index}.chatId: is not the one in the path`);
		}
		const run = { ...report, chatId };
		byId.set(run.id, merge(byId.get(run.id) ?? run, run));
	}
	return writeD1(scope, async (session) => {
		const stored = await readStored(session, chatId, [...byId.keys()]);
		const changes: Change[] = [];
		const recorded = [...byId.values()].map((report) => {
			const before = stored.get(report.id);
			const run = before ? merge(before.run, report) : report;
			// Compared as they are merged, not as text, since others may have written the row in another form.
			if (!before || JSON.stringify(mergeRuns(before.run, before.run)) !== JSON.stringify(run)) {
				changes.push({ run, seen: before?.revision ?? null });
			}
			return { run, created: !before };
		});
		if (changes.length > 0) await writeChanges(session, chatId, changes);
		return recorded;
	});
}

function merge(a: WorkflowRun, b: WorkflowRun): WorkflowRun {
	const refuse = (code: "RUN_CONFLICT" | "INVALID_BODY", message: string) => {
		throw new ServiceError(code, `Workflow run ${a.id}: ${message}`);
	};
	if (a.chatId !== b.chatId) refuse("RUN_CONFLICT", "the id is in use under another chat");
	if (a.workflowId !== b.workflowId) refuse("RUN_CONFLICT", "it was reported with another workflowId");
	const run = mergeRuns(a, b);
	const { length } = run.steps;
	if (length > MAX_STEPS) {
		refuse("INVALID_BODY", `steps: with those reported before there would be ${length}, and ${MAX_STEPS} is the most`);
	}
	return run;
}
