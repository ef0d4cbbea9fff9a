import { and, inArray, lt, sql } from "drizzle-orm";
import { nextChange } from "../db/change.ts";
import { drizzleOver } from "../db/drizzle.ts";
import { chats, workflowRuns } from "../db/schema.ts";
import { writeD1 } from "../db/write.ts";
import { readConfig } from "../env.ts";
import { logInfo } from "../log.ts";
import type { Scope } from "../scope.ts";

/** Small, so that readers and recorders do not wait long for a batch: D1 runs one query at a time. */
const BATCH_RUNS = 100;

/** Workers allow 1,000 D1 queries in an invocation, and a batch takes three. The next round deletes the rest. */
const MAX_BATCHES = 300;

const DAY_MILLISECONDS = 86_400_000;

/**
 * Deletes the finished runs whose end is more than `RETENTION_DAYS` ago, oldest first, and gives their chats a new
 * revision. Runs that have not ended stay, however old they are. Does nothing if `RETENTION_DAYS` is not set.
 *
 * @param now milliseconds since the epoch
 * @returns how many runs were deleted
 * @throws {ServiceError} STORE_UNAVAILABLE if D1 fails. Runs that were deleted before stay deleted; the next round goes on
 */
export async function pruneRuns(scope: Scope, now: number): Promise<number> {
	const { retentionDays } = readConfig(scope.env);
	if (retentionDays === null) return 0;
	const before = new Date(now - retentionDays * DAY_MILLISECONDS).toISOString();
	let deleted = 0;
	for (let batches = 0; batches < MAX_BATCHES; batches++) {
		const { result } = await writeD1(scope, (session) => pruneBatch(session, before));
		deleted += result;
		if (result < BATCH_RUNS) break;
	}
	logInfo({ requestId: scope.requestId, event: "retention", before, deleted });
	return deleted;
}

async function pruneBatch(session: D1DatabaseSession, before: string): Promise<number> {
	const db = drizzleOver(session);
	const due = await db
		.select({ id: workflowRuns.id, chatId: workflowRuns.chatId })
		.from(workflowRuns)
		.where(lt(workflowRuns.completedAt, before))
		.orderBy(workflowRuns.completedAt)
		.limit(BATCH_RUNS);
	if (due.length === 0) return 0;
	const among = (ids: string[]) => sql`(select value from json_each(${JSON.stringify(ids)}))`;
	await db.batch([
		db
			.update(chats)
			.set(nextChange(crypto.randomUUID(), { gap: true }))
			.where(inArray(chats.id, among(due.map((run) => run.chatId)))),
		// The end is compared again. A report in between may have made it earlier, never later.
		db
			.delete(workflowRuns)
			.where(and(inArray(workflowRuns.id, among(due.map((run) => run.id))), lt(workflowRuns.completedAt, before))),
	]);
	return due.length;
}
