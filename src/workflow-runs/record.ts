import { eq, inArray, sql } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import { mergeRuns } from "#protocol/merge.ts";
import { drizzleOver } from "../db/client.ts";
import { chats, workflowRuns } from "../db/schema.ts";
import { ConflictError, type Written, writeD1 } from "../db/write.ts";
import { ServiceError } from "../errors.ts";
import type { Scope } from "../scope.ts";
import { MAX_STEPS, type WorkflowRunReport, type WorkflowRunReports } from "./report.ts";
import type { WorkflowRun } from "./schemas.ts";

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

/** What a row of D1 leaves for a run's steps: it holds 2,000,000 bytes. */
const MAX_STEPS_BYTES = 1_000_000;

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

interface StoredRun {
	readonly run: WorkflowRun;
	readonly revision: string;
}

/** The named runs, whichever chat they are in. @throws {ServiceError} CHAT_NOT_FOUND */
async function readStored(
	session: D1DatabaseSession,
	chatId: string,
	runIds: readonly string[],
): Promise<Map<string, StoredRun>> {
	const db = drizzleOver(session);
	const [[chat], rows] = await db.batch([
		db.select({ deletedAt: chats.deletedAt }).from(chats).where(eq(chats.id, chatId)),
		db
			.select()
			.from(workflowRuns)
			// One parameter, since D1 takes no more than 100.
			.where(inArray(workflowRuns.id, sql`(select value from json_each(${JSON.stringify(runIds)}))`)),
	]);
	if (!chat || chat.deletedAt !== null) throw new ServiceError("CHAT_NOT_FOUND");
	return new Map(rows.map((row) => [row.id, { run: parseRow(row), revision: row.revision }]));
}

function parseRow(row: typeof workflowRuns.$inferSelect): WorkflowRun {
	const { id, chatId, workflowId, status, startedAt, completedAt, error, steps } = row;
	return {
		id,
		chatId,
		workflowId,
		status,
		startedAt,
		completedAt,
		...(error !== null && { error: JSON.parse(error) }),
		steps: JSON.parse(steps),
	};
}

interface Change {
	readonly run: WorkflowRun;
	/** The stored run's revision that the merge built on; null: there was none. */
	readonly seen: string | null;
}

/** Writes the changed runs and gives the chat a new revision, in one batch: a transaction. */
async function writeChanges(session: D1DatabaseSession, chatId: string, changes: readonly Change[]): Promise<void> {
	const db = drizzleOver(session);
	const revision = crypto.randomUUID();
	const seen = JSON.stringify(Object.fromEntries(changes.map((change) => [change.run.id, change.seen])));
	// The guard: unless every run is still as it was read, and the chat still there, this sets NOT NULL to null, and the
	// whole batch fails. A batch has no other condition.
	const guard = db
		.update(chats)
		.set({
			revision: sql`case when ${chats.deletedAt} is null and not exists (
				select 1 from json_each(${seen}) as seen left join workflow_runs as run on run.id = seen.key
				where run.revision is not seen.value
			) then ${revision} end`,
		})
		.where(eq(chats.id, chatId));
	const createdAt = new Date().toISOString();
	const writes: BatchItem<"sqlite">[] = changes.map(({ run }) => {
		const { id, workflowId, status, startedAt, completedAt } = run;
		const error = run.error ? JSON.stringify(run.error) : null;
		const state = { status, startedAt, completedAt, error, steps: stepsText(run), revision };
		return db
			.insert(workflowRuns)
			.values({ id, chatId, workflowId, createdAt, ...state })
			.onConflictDoUpdate({ target: workflowRuns.id, set: state });
	});
	try {
		await db.batch([guard, ...writes]);
	} catch (error) {
		if (GUARD_FAILED.test(String(error))) throw new ConflictError();
		throw error;
	}
}

/** The guard's, or that of a chat whose row is gone. */
const GUARD_FAILED = /NOT NULL constraint failed: chats\.revision|FOREIGN KEY constraint failed/;

function stepsText({ id, steps }: WorkflowRun): string {
	const text = JSON.stringify(steps);
	const bytes = new TextEncoder().encode(text).byteLength;
	if (bytes <= MAX_STEPS_BYTES) return text;
	throw new ServiceError(
		"INVALID_BODY",
		`Workflow run ${id}: steps: with those reported before they would take ${bytes} bytes, and ${MAX_STEPS_BYTES} is the most`,
	);
}
