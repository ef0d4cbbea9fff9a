import { MAX_ANSWER_BYTES, MAX_STEPS_BYTES } from "#protocol/limits.ts";
import { RUN_BYTES } from "../db/history-bytes.ts";
import { askHub, tellWatchers } from "../db/hub.ts";
import type { Written } from "../db/write.ts";
import { type ErrorCode, ServiceError } from "../errors.ts";
import type { Facts, Scope } from "../scope.ts";
import { commitReports } from "./commit.ts";
import { type RecordedRun, reportedRuns } from "./merge-reports.ts";
import type { WorkflowRunReport, WorkflowRunReports } from "./report.ts";
import { bytesOf } from "./row.ts";
import type { WorkflowRun } from "./schemas.ts";
import type { CheckedRun } from "./told.ts";

/** A hub's answer to a report. Refusals are data, since an error that is thrown over RPC loses its properties. */
export type HubAnswer = { readonly facts: Pick<Facts, "d1Milliseconds" | "written" | "together"> } & (
	| { readonly recorded: RecordedRun[]; readonly bookmark: string | null }
	| { readonly refusal: { readonly code: ErrorCode; readonly message: string; readonly cause: string | undefined } }
);

/** A hub as the writer of its chat; see `ChatHub`. */
export interface HubRecorder {
	record(chatId: string, requestId: string, report: string): Promise<HubAnswer>;
}

/**
 * The answer to a report of several runs, over HTTP and RPC. Those that no longer fit into it come without their steps
 * and optional fields, and `truncated` names them.
 */
export function toRecordedRuns(recorded: readonly RecordedRun[]): RecordedRuns {
	const created = recorded.filter(({ created }) => created).map(({ run }) => run.id);
	const whole = recorded.map(({ run }) => run);
	if (recorded.length * MAX_RUN_BYTES <= MAX_ANSWER_BYTES) return { workflowRuns: whole, created };
	const truncated: string[] = [];
	// What is truncated takes about this much too.
	let left = MAX_ANSWER_BYTES - recorded.length * RUN_BYTES;
	const workflowRuns = whole.map((run) => {
		const bytes = bytesOf(run);
		if (bytes <= left) {
			left -= bytes;
			return run;
		}
		truncated.push(run.id);
		const { id, chatId, workflowId, status, startedAt, completedAt } = run;
		return { id, chatId, workflowId, status, startedAt, completedAt, steps: [] };
	});
	return truncated.length > 0 ? { workflowRuns, created, truncated } : { workflowRuns, created };
}

/** What a run takes at the most, in bytes: its steps, and its optional fields. */
const MAX_RUN_BYTES = MAX_STEPS_BYTES + 100_000;

export interface RecordedRuns {
	workflowRuns: WorkflowRun[];
	/** The ids of those that are new. */
	created: string[];
	/** The ids of those that come without their steps and optional fields. */
	truncated?: string[];
}

interface Warned {
	readonly warnings: readonly string[];
}

/** The parts of a report that were left out: unknown fields, and parts that did not fit the run's row. */
export function warningsOf(report: Warned, recorded: readonly RecordedRun[]): string[] {
	return [
		...report.warnings,
		...recorded.flatMap(({ run, warning }) => (warning ? `Workflow run ${run.id}: ${warning}` : [])),
	];
}

/** The same for an HTTP answer, which has the field only if something was left out. */
export function anyWarnings(report: Warned, recorded: readonly RecordedRun[]): { warnings?: string[] } {
	const warnings = warningsOf(report, recorded);
	return warnings.length > 0 ? { warnings } : {};
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
 * leaves the chat's revision as it is, and writes nothing but, now and then, that its runs were heard of. A run that is
 * not stored, and too old to be, is answered as it was reported, with a warning.
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
	const report = reportedRuns(chatId, reports, Date.now());
	scope.facts.runs = report.length;
	const answer = await askHub(scope, chatId, (hub) =>
		(hub as unknown as HubRecorder).record(chatId, scope.requestId, JSON.stringify(report)),
	);
	if (answer === undefined) return recordAlone(scope, chatId, report);
	Object.assign(scope.facts, { writer: "hub", ...answer.facts });
	if (!("refusal" in answer)) return { result: answer.recorded, bookmark: answer.bookmark };
	const { code, message, cause } = answer.refusal;
	throw new ServiceError(code, message, { cause });
}

/** Without a hub: equally safe, but with two round trips, and many writers of one run get in each other's way. */
async function recordAlone(
	scope: Scope,
	chatId: string,
	report: readonly CheckedRun[],
): Promise<Written<RecordedRun[]>> {
	const reportedAt = Date.now();
	scope.facts.writer = "door";
	const { result: commit, bookmark } = await commitReports(scope, chatId, [report]);
	const [result] = commit.results as [RecordedRun[] | ServiceError];
	if (result instanceof ServiceError) throw result;
	scope.facts.written = commit.written?.runs.length ?? 0;
	if (commit.written) {
		const { from, to } = commit.written;
		const runs = commit.written.runs.map(({ run }) => JSON.stringify(run));
		tellWatchers(scope, chatId, { from, to, bookmark, runs, reportedAt });
	}
	return { result, bookmark };
}
