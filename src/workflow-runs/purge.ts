import { and, lt } from "drizzle-orm";
import { nextChange } from "../db/change.ts";
import { drizzleOver } from "../db/drizzle.ts";
import { chats } from "../db/schema.ts";
import { writeD1 } from "../db/write.ts";
import { readConfig } from "../env.ts";
import { logInfo } from "../log.ts";
import type { Scope } from "../scope.ts";
import { findBatch, isEmpty } from "./clear.ts";
import { daysBefore } from "./prune.ts";

/** A batch takes four of the 1,000 D1 queries of an invocation, and retention may take 900. The next round goes on. */
const MAX_BATCHES = 20;

/**
 * Removes the chats that were deleted or erased more than `PURGE_DAYS` ago, with the runs that they still have, whatever
 * their status, oldest first. Their ids can then be registered anew.
 * @param now milliseconds since the epoch
 * @returns how many chats and runs were removed
 * @throws {ServiceError} STORE_UNAVAILABLE if D1 fails. What was removed before stays so; the next round goes on
 */
export async function purgeChats(scope: Scope, now: number): Promise<{ chats: number; workflowRuns: number }> {
	const { purgeDays } = readConfig(scope.env);
	const before = daysBefore(now, purgeDays);
	const purged = { chats: 0, workflowRuns: 0 };
	let isLast = false;
	for (let batches = 0; !isLast && batches < MAX_BATCHES; batches++) {
		const { result } = await writeD1(scope, (session) => purgeBatch(session, before));
		purged.chats += result.chats;
		purged.workflowRuns += result.workflowRuns;
		isLast = result.isLast;
	}
	logInfo(scope, { event: "purge", before, chats: purged.chats, deleted: purged.workflowRuns, more: !isLast });
	return purged;
}

async function purgeBatch(session: D1DatabaseSession, before: string) {
	const { isOfBatch, size, isLast, deleteRuns } = await findBatch(
		session,
		lt(chats.deletedAt, before),
		chats.deletedAt,
	);
	if (size === 0) return { chats: 0, workflowRuns: 0, isLast };
	const db = drizzleOver(session);
	const [runs, gone] = await db.batch([
		deleteRuns,
		db.delete(chats).where(and(isOfBatch, isEmpty)).returning({ id: chats.id }),
		// One that has runs left can still be restored, and then has fewer.
		db
			.update(chats)
			.set(nextChange(crypto.randomUUID(), { gap: true }))
			.where(isOfBatch),
	]);
	return { chats: gone.length, workflowRuns: runs.length, isLast };
}
