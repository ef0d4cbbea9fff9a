import { and, isNull, lt, or, sql } from "drizzle-orm";
import { nextChange } from "../db/change.ts";
import { workflowRuns } from "../db/schema.ts";
import { readConfig } from "../env.ts";
import { logInfo } from "../log.ts";
import type { Scope } from "../scope.ts";
import { isUsedUp, type Sweep, sweep, wholeAllowance } from "./sweep.ts";

const DAY_MILLISECONDS = 86_400_000;

/** The timestamp of a number of days ago. @param now milliseconds since the epoch */
export const daysBefore = (now: number, days: number) => new Date(now - days * DAY_MILLISECONDS).toISOString();

/**
 * From when on runs are kept, as a timestamp; null: all of them are.
 * @param now milliseconds since the epoch
 */
export function keptSince({ env }: Scope, now: number): string | null {
	const { retentionDays } = readConfig(env);
	return retentionDays === null ? null : daysBefore(now, retentionDays);
}

/**
 * Deletes the runs of which nothing was told for `RETENTION_DAYS`, oldest first, and gives their chats a new revision: those
 * that ended before, and those that have not ended and were not heard of since. Does nothing if it is not set.
 *
 * A run that was deleted stays so. Whatever was reported of it told of no later moment, so that the same reports, once
 * more, are too old to begin it again: `mergeReports` has the other half of the rule.
 *
 * @param now milliseconds since the epoch
 * @param allowance of the round; it is used up
 * @returns how many runs were deleted
 * @throws {ServiceError} as `sweep`
 */
export async function pruneRuns(scope: Scope, now: number, allowance = wholeAllowance()): Promise<number> {
	const before = keptSince(scope, now);
	if (before === null) return 0;
	const { completedAt, heardAt, toldAt } = workflowRuns;
	const toldNothing = or(isNull(toldAt), lt(toldAt, before));
	const gone: Omit<Sweep, "isDue" | "order"> = {
		chat: (revision) => nextChange(revision, { gap: true }),
		write: (db, which) => db.delete(workflowRuns).where(which).returning({ id: workflowRuns.id }),
	};
	const ended = await sweep(
		scope,
		{ ...gone, isDue: and(lt(completedAt, before), toldNothing), order: sql`${completedAt}` },
		allowance,
	);
	const isSilent = and(isNull(completedAt), lt(heardAt, before), toldNothing);
	const unfinished = await sweep(scope, { ...gone, isDue: isSilent, order: sql`${heardAt}` }, allowance);
	const deleted = ended + unfinished;
	logInfo(scope, { event: "retention", before, deleted, unfinished, more: isUsedUp(allowance) });
	return deleted;
}
