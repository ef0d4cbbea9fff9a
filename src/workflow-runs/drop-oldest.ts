import { and, eq, isNotNull, sql } from "drizzle-orm";
import { among } from "../db/among.ts";
import { nextChange } from "../db/change.ts";
import { drizzleOver } from "../db/drizzle.ts";
import { runBytes } from "../db/history-bytes.ts";
import { chats, workflowRuns } from "../db/schema.ts";

/** Dropped at once, as a share of what a history may be: so that a full chat need not drop at each write. */
const HEADROOM = 0.1;

/**
 * Deletes a chat's oldest finished runs, so that its history has room again. Runs that have not ended stay. Where all
 * finished runs together would not make enough room, nothing is deleted.
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
	const finished = db
		.select({
			id: workflowRuns.id,
			before:
				sql<number>`sum(${runBytes}) over (order by ${workflowRuns.startOrder}, ${workflowRuns.id}) - ${runBytes}`.as(
					"before",
				),
			together: sql<number>`sum(${runBytes}) over ()`.as("together"),
		})
		.from(workflowRuns)
		.where(
			and(
				eq(workflowRuns.chatId, chatId),
				isNotNull(workflowRuns.completedAt),
				sql`${workflowRuns.id} not in ${among(keep)}`,
			),
		)
		.as("finished");
	const needed = sql`${total} + ${growth}`;
	const oldest = sql`(select id from ${finished} where before < ${needed} - ${Math.floor(maxBytes * (1 - HEADROOM))}
		and ${needed} - together <= ${maxBytes})`;
	const [, dropped] = await db.batch([
		db
			.update(chats)
			.set(nextChange(crypto.randomUUID(), { gap: true }))
			.where(and(eq(chats.id, chatId), sql`exists ${oldest}`)),
		// D1's own count of changes has the rows that triggers delete, too.
		db.delete(workflowRuns).where(sql`${workflowRuns.id} in ${oldest}`).returning({ id: workflowRuns.id }),
	]);
	return dropped.length;
}
