import { eq, inArray, sql } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import { drizzleOver } from "../db/drizzle.ts";
import { chats, workflowRuns } from "../db/schema.ts";
import { ConflictError } from "../db/write.ts";
import { ServiceError } from "../errors.ts";
import { MAX_STEPS_BYTES } from "../limits.ts";
import type { WorkflowRun } from "./schemas.ts";

export interface StoredRun {
	readonly run: WorkflowRun;
	readonly revision: string;
}

/** The named runs, whichever chat they are in. @throws {ServiceError} CHAT_NOT_FOUND */
export async function readStored(
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

export interface Change {
	readonly run: WorkflowRun;
	/** The stored run's revision that the merge built on; null: there was none. */
	readonly seen: string | null;
}

/** Writes the changed runs and gives the chat a new revision, in one batch: a transaction. */
export async function writeChanges(
	session: D1DatabaseSession,
	chatId: string,
	changes: readonly Change[],
): Promise<void> {
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
