import { eq, getTableColumns, inArray, sql } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import { type Change, changed, nextChange, toChange } from "../db/change.ts";
import { drizzleOver } from "../db/drizzle.ts";
import { chats, workflowRuns } from "../db/schema.ts";
import { ConflictError } from "../db/write.ts";
import { ServiceError } from "../errors.ts";
import { detailsJson } from "./json.ts";
import type { StoredRun } from "./merge-reports.ts";
import type { WorkflowRun } from "./schemas.ts";

/** The named runs, even if they belong to another chat. @throws {ServiceError} CHAT_NOT_FOUND if this chat is gone */
export async function readStored(
	session: D1DatabaseSession,
	chatId: string,
	runIds: readonly string[],
): Promise<Map<string, StoredRun>> {
	const db = drizzleOver(session);
	const [[chat], rows] = await db.batch([
		db.select({ deletedAt: chats.deletedAt }).from(chats).where(eq(chats.id, chatId)),
		db
			.select({ ...getTableColumns(workflowRuns), details: detailsJson })
			.from(workflowRuns)
			// One parameter for all ids, since D1 takes at most 100 parameters.
			.where(inArray(workflowRuns.id, sql`(select value from json_each(${JSON.stringify(runIds)}))`)),
	]);
	if (!chat || chat.deletedAt !== null) throw new ServiceError("CHAT_NOT_FOUND");
	return new Map(rows.map((row) => [row.id, { run: parseRow(row), revision: row.revision }]));
}

function parseRow(row: typeof workflowRuns.$inferSelect): WorkflowRun {
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
function toRow({
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

/** The result of a write: the chat's change, and the new revision of its runs. */
export interface WrittenChange extends Change {
	readonly revision: string;
}

/**
 * Writes changed runs and gives the chat a new revision and change number, in one batch: a transaction.
 * @param seen the stored revision of every run that the merge built on; null: the run was not stored
 * @throws {ConflictError} if a run has changed since it was read, or the chat is gone
 */
export async function writeChanged(
	session: D1DatabaseSession,
	chatId: string,
	changedRuns: readonly WorkflowRun[],
	seen: ReadonlyMap<string, string | null>,
): Promise<WrittenChange> {
	const db = drizzleOver(session);
	const revision = crypto.randomUUID();
	const seenJson = JSON.stringify(Object.fromEntries(seen));
	// The guard: if a run has changed since it was read, or the chat is gone, this sets a NOT NULL column to null, and the
	// whole batch fails. D1 batches have no other way to state a condition.
	const guard = db
		.update(chats)
		.set({
			...nextChange(revision),
			revision: sql`case when ${chats.deletedAt} is null and not exists (
				select 1 from json_each(${seenJson}) as seen left join workflow_runs as run on run.id = seen.key
				where run.revision is not seen.value
			) then ${revision} end`,
		})
		.where(eq(chats.id, chatId))
		.returning(changed);
	const createdAt = new Date().toISOString();
	const writes: BatchItem<"sqlite">[] = changedRuns.map((run) => {
		const { id, workflowId } = run;
		const change = sql`(select change from chats where id = ${chatId})`;
		const state = { ...toRow(run), revision, change };
		return db
			.insert(workflowRuns)
			.values({ id, chatId, workflowId, createdAt, ...state })
			.onConflictDoUpdate({ target: workflowRuns.id, set: state });
	});
	try {
		const [[chat]] = await db.batch([guard, ...writes]);
		// The chat's row is gone, and there was no run that would have failed by its foreign key.
		if (!chat) throw new ConflictError();
		return { ...toChange(chat, revision), revision };
	} catch (error) {
		if (GUARD_FAILED.test(String(error))) throw new ConflictError();
		throw error;
	}
}

/** The guard's error, or the error of a run whose chat is gone. */
const GUARD_FAILED =
	/NOT NULL constraint failed: (chats\.revision|workflow_runs\.change)|FOREIGN KEY constraint failed/;
