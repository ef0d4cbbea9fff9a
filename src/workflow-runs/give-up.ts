import { and, isNull, lt, sql } from "drizzle-orm";
import { nextChange } from "../db/change.ts";
import { chats, workflowRuns } from "../db/schema.ts";
import { readConfig } from "../env.ts";
import { logInfo } from "../log.ts";
import type { Scope } from "../scope.ts";
import { HEARD_WITHIN } from "./heard.ts";
import { detailsJson } from "./json.ts";
import { sweep, wholeAllowance } from "./sweep.ts";

/*
 * A run that was given up is served as failed, with an end that is assumed. What its reports say is kept beside it, and the
 * next report is merged into that. If the report says anything new, the run is again what its reports say: running, or at
 * its end. If not, it stays given up. So nothing of it depends on the order of the reports, or on a recorder's clock: given
 * up is what nobody has told anything new of since.
 */

const HOUR_MILLISECONDS = 3_600_000;

/**
 * Gives up the runs that have not ended and were not heard of for `GIVE_UP_HOURS`, the longest silent first. Does nothing if
 * that is not set. Their end is the last moment that was told of them, or when they were last heard of.
 *
 * @param now milliseconds since the epoch
 * @param allowance of the round; it is used up
 * @returns how many runs were given up
 * @throws {ServiceError} as `sweep`
 */
export async function giveUpRuns(scope: Scope, now: number, allowance = wholeAllowance()): Promise<number> {
	const { giveUpHours } = readConfig(scope.env);
	if (giveUpHours === null) return 0;
	// Never too early, though it is not known to the minute when a run was heard of.
	const before = new Date(now - giveUpHours * HOUR_MILLISECONDS - HEARD_WITHIN).toISOString();
	const { completedAt, startedAt, heardAt, toldAt, status, error } = workflowRuns;
	const set = (revision: string) => ({
		revision,
		givenUp: sql`json_object('revision', ${revision}, 'status', ${status}, 'error', ${error}, 'details', ${detailsJson})`,
		status: "failed" as const,
		completedAt: sql`max(ifnull(${startedAt}, ''), min(ifnull(nullif(${toldAt}, ''), ${heardAt}), ${heardAt}))`,
		error: JSON.stringify({ message: `No news for ${giveUpHours} h` }),
		// What it did, and what had come of it, goes with the state that it had. The fields stay in their order.
		details: sql`json_set(json_remove(${detailsJson}, '$.activity', '$.output'), '$.assumed', json('true'))`,
		change: sql`(select ${chats.change} from ${chats} where ${chats.id} = ${workflowRuns.chatId})`,
	});
	const givenUp = await sweep(
		scope,
		{
			isDue: and(isNull(completedAt), lt(heardAt, before)),
			order: sql`${heardAt}`,
			// An end and an error take some bytes more: the next write adds up.
			chat: (revision) => ({ ...nextChange(revision), historyBytes: sql`null` }),
			write: (db, which, revision) =>
				db.update(workflowRuns).set(set(revision)).where(which).returning({ id: workflowRuns.id }),
		},
		allowance,
	);
	logInfo(scope, { event: "give up", before, givenUp });
	return givenUp;
}
