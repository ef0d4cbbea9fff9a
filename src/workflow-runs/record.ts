import { type Written, writeD1 } from "../db/write.ts";
import { ServiceError } from "../errors.ts";
import type { Scope } from "../scope.ts";
import { mergeReports, type RecordedRun, reportedRuns } from "./merge-reports.ts";
import type { WorkflowRunReport, WorkflowRunReports } from "./report.ts";
import type { WorkflowRun } from "./schemas.ts";
import { readStored, writeChanged } from "./store.ts";

/** The answer to a report of several runs, over HTTP and RPC. */
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
 * Merges reported runs into the stored ones: all of them, or nothing. Idempotent: a report that changes nothing
 * writes nothing, and leaves the chat's revision as it is.
 *
 * @param chatId lower-case UUID
 * @param reports of one chat; several of one run are merged
 * @returns the runs as they are stored now, each once, in the order of the reports
 * @throws {ServiceError} CHAT_NOT_FOUND, RUN_CONFLICT, INVALID_BODY if a report names another chat or the merged
 *   run's steps are too large, or STORE_UNAVAILABLE: the same may then be sent again
 */
export async function recordRuns(
	scope: Scope,
	chatId: string,
	reports: WorkflowRunReports["workflowRuns"],
): Promise<Written<RecordedRun[]>> {
	const report = reportedRuns(chatId, reports);
	return writeD1(scope, async (session) => {
		const ids = report.map(({ id }) => id);
		const stored = await readStored(session, chatId, ids);
		const { results, changed } = mergeReports(stored, [report]);
		const [result] = results as [RecordedRun[] | ServiceError];
		if (result instanceof ServiceError) throw result;
		if (changed.length > 0) {
			await writeChanged(session, chatId, changed, new Map(ids.map((id) => [id, stored.get(id)?.revision ?? null])));
		}
		return result;
	});
}
