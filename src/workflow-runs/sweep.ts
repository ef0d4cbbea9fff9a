import { and, inArray, type SQL } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import { among } from "../db/among.ts";
import { changed, type nextChange, toChange } from "../db/change.ts";
import { drizzleOver } from "../db/drizzle.ts";
import { tellWatchers } from "../db/hub.ts";
import { chats, workflowRuns } from "../db/schema.ts";
import { writeD1 } from "../db/write.ts";
import type { Scope } from "../scope.ts";

/** Small, so that readers and recorders do not wait long for a batch: D1 runs one query at a time. */
const BATCH_RUNS = 100;

/** What a round of the cron may still do. The next round does the rest. */
export interface Allowance {
	batches: number;
	told: number;
}

/**
 * Workers allow 1,000 D1 queries in an invocation, and a batch takes three; `purge.ts` needs some too. Each hub that is told
 * costs a subrequest; watchers of other chats see it within a minute.
 */
export const wholeAllowance = (): Allowance => ({ batches: 300, told: 500 });

/** Whether a sweep came to the end of its allowance, and so perhaps not to the end of what is due. */
export const isUsedUp = ({ batches }: Allowance) => batches < 0;

/** What becomes of runs that are due, in whatever chat they are. */
export interface Sweep {
	/** Which runs are due. It is compared again with the write: a report may have come in between. */
	readonly isDue: SQL | undefined;
	/** Those that come first by this, first. An index has it. */
	readonly order: SQL;
	/** What their chats' rows become. */
	readonly chat: (revision: string) => Partial<ReturnType<typeof nextChange<string>>>;
	/** What becomes of the runs; `which` names them. Their chats have their new change numbers by then. It returns a row a run. */
	readonly write: (db: ReturnType<typeof drizzleOver>, which: SQL | undefined, revision: string) => BatchItem<"sqlite">;
}

/**
 * Works through the runs that are due, in batches, and gives their chats a new revision. Watchers are told that there is
 * something to read.
 * @param allowance is used up
 * @returns how many runs were written
 * @throws {ServiceError} STORE_UNAVAILABLE if D1 fails. The batches before stay; the next round goes on
 */
export async function sweep(scope: Scope, work: Sweep, allowance: Allowance): Promise<number> {
	let written = 0;
	while (allowance.batches-- > 0) {
		const { result, bookmark } = await writeD1(scope, (session) => sweepBatch(session, work));
		written += result.written;
		for (const { chatId, ...change } of result.changes.slice(0, allowance.told)) {
			tellWatchers(scope, chatId, { ...change, bookmark, runs: null });
			allowance.told--;
		}
		if (result.due < BATCH_RUNS) break;
	}
	return written;
}

async function sweepBatch(session: D1DatabaseSession, { isDue, order, chat, write }: Sweep) {
	const db = drizzleOver(session);
	const due = await db
		.select({ id: workflowRuns.id, chatId: workflowRuns.chatId })
		.from(workflowRuns)
		.where(isDue)
		.orderBy(order)
		.limit(BATCH_RUNS);
	if (due.length === 0) return { due: 0, written: 0, changes: [] };
	const revision = crypto.randomUUID();
	const [rows, done] = await db.batch([
		db
			.update(chats)
			.set(chat(revision))
			.where(inArray(chats.id, among(due.map((run) => run.chatId))))
			.returning({ chatId: chats.id, ...changed }),
		write(db, and(inArray(workflowRuns.id, among(due.map((run) => run.id))), isDue), revision),
	]);
	const changes = rows.map(({ chatId, ...row }) => ({ chatId, ...toChange(row, revision) }));
	return { due: due.length, written: (done as unknown[]).length, changes };
}
