import { and, inArray, lt, sql } from "drizzle-orm";
import { type Change, changed, nextChange, toChange } from "../db/change.ts";
import { drizzleOver } from "../db/drizzle.ts";
import { tellWatchers } from "../db/hub.ts";
import { chats, workflowRuns } from "../db/schema.ts";
import { writeD1 } from "../db/write.ts";
import { readConfig } from "../env.ts";
import { logInfo } from "../log.ts";
import type { Scope } from "../scope.ts";

/** Small, so that readers and recorders do not wait long for a batch: D1 runs one query at a time. */
const BATCH_RUNS = 100;

/** Workers allow 1,000 D1 queries in an invocation, and a batch takes three. The next round deletes the rest. */
const MAX_BATCHES = 300;

/** How many hubs are told of a round. Each costs a subrequest. Watchers of other chats see it within a minute. */
const MAX_TOLD = 500;

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
	let told = 0;
	for (let batches = 0; batches < MAX_BATCHES; batches++) {
		const { result, bookmark } = await writeD1(scope, (session) => pruneBatch(session, before));
		deleted += result.deleted;
		for (const { chatId, change } of result.changes.slice(0, MAX_TOLD - told)) {
			tellWatchers(scope, chatId, { ...change, bookmark, runs: null });
			told++;
		}
		if (result.deleted < BATCH_RUNS) break;
	}
	logInfo(scope, { event: "retention", before, deleted });
	return deleted;
}

interface Pruned {
	readonly deleted: number;
	readonly changes: readonly { readonly chatId: string; readonly change: Change }[];
}

async function pruneBatch(session: D1DatabaseSession, before: string): Promise<Pruned> {
	const db = drizzleOver(session);
	const due = await db
		.select({ id: workflowRuns.id, chatId: workflowRuns.chatId })
		.from(workflowRuns)
		.where(lt(workflowRuns.completedAt, before))
		.orderBy(workflowRuns.completedAt)
		.limit(BATCH_RUNS);
	if (due.length === 0) return { deleted: 0, changes: [] };
	const among = (ids: string[]) => sql`(select value from json_each(${JSON.stringify(ids)}))`;
	const revision = crypto.randomUUID();
	const [changes] = await db.batch([
		db
			.update(chats)
			.set(nextChange(revision, { gap: true }))
			.where(inArray(chats.id, among(due.map((run) => run.chatId))))
			.returning({ chatId: chats.id, ...changed }),
		// The end is compared again. A report in between may have made it earlier, never later.
		db
			.delete(workflowRuns)
			.where(and(inArray(workflowRuns.id, among(due.map((run) => run.id))), lt(workflowRuns.completedAt, before))),
	]);
	return {
		deleted: due.length,
		changes: changes.map(({ chatId, ...row }) => ({ chatId, change: toChange(row, revision) })),
	};
}
