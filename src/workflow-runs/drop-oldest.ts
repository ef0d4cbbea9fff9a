import { and, eq, isNotNull, sql } from "drizzle-orm";
import { among } from "../db/among.ts";
import { nextChange } from "../db/change.ts";
import { drizzleOver } from "../db/drizzle.ts";
import { addedBytes, runBytes } from "../db/history-bytes.ts";
import { chats, workflowRuns } from "../db/schema.ts";

/** Dropped at once, as a share of what a history may be: so that a full chat need not drop at each write. */
const HEADROOM = 0.1;

/**
 * Deletes a chat's oldest finished runs, so that its history has room again. Runs that have not ended stay.
 * @param growth what is to be written then, in bytes
 * @param keep the ids of runs that are to be written
 * @returns how many were deleted
 */
export async function dropOldest(
	session: D1DatabaseSession,
	chatId: string,
	{ growth, maxBytes, keep }: { growth: number; maxBytes: number; keep: readonly string[] },
): Promise<number> {
	const db = drizzleOver(session);
	const total = sql`(select sum(${runBytes}) from ${workflowRuns} where ${workflowRuns.chatId} = ${chatId})`;
	const oldest = db
		.select({
			id: workflowRuns.id,
			before:
				sql<number>`sum(${runBytes}) over (order by ${workflowRuns.startOrder}, ${workflowRuns.id}) - ${runBytes}`.as(
					"before",
				),
		})
		.from(workflowRuns)
		.where(
			and(
				eq(workflowRuns.chatId, chatId),
				isNotNull(workflowRuns.completedAt),
				sql`${workflowRuns.id} not in ${among(keep)}`,
			),
		)
		.as("oldest");
	const tooMuch = sql`${total} + ${growth} - ${Math.floor(maxBytes * (1 - HEADROOM))}`;
	const [dropped] = await db.batch([
		db
			.delete(workflowRuns)
			.where(sql`${workflowRuns.id} in (select id from ${oldest} where before < ${tooMuch})`)
			// D1's own count has the rows that triggers delete, too.
			.returning({ id: workflowRuns.id }),
		db
			.update(chats)
			.set({ ...nextChange(crypto.randomUUID(), { gap: true }), historyBytes: addedBytes })
			.where(eq(chats.id, chatId)),
	]);
	return dropped.length;
}
