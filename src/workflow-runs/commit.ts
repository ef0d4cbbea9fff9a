import { ConflictError, type Written, writeD1 } from "../db/write.ts";
import { readConfig } from "../env.ts";
import type { ServiceError } from "../errors.ts";
import { logInfo } from "../log.ts";
import type { Scope } from "../scope.ts";
import { dropOldest } from "./drop-oldest.ts";
import { isNews, noteHeard } from "./heard.ts";
import { type Growth, growthOf, historyFull } from "./history-size.ts";
import { mergeReports, type RecordedRun } from "./merge-reports.ts";
import { keptSince } from "./prune.ts";
import type { StoredRun } from "./row.ts";
import { HistoryFullError, readStored, type Writing, type WrittenRuns, writeChanged } from "./store.ts";
import type { CheckedRun } from "./told.ts";

/** Runs as a writer has just written them, so that it need not read them again. The guard in D1 notices if they are not. */
export interface Memory {
	get(runId: string): StoredRun | undefined;
	delete(runId: string): void;
	/** Whether a run that is not remembered is taken for a new one, without looking: so it was the last time. */
	expectsNew: boolean;
}

/** What became of some reports. */
export interface Commit {
	/** For each report its runs, or why it is refused. */
	readonly results: readonly (RecordedRun[] | ServiceError)[];
	/** What was written; null: nothing had changed. */
	readonly written: WrittenRuns | null;
}

/**
 * Commits reports of a chat's runs together: in one D1 round trip if all of their runs are remembered, else in two. A
 * report that is refused leaves the others as they are.
 * @param reports each as `reportedRuns` gives it
 * @throws {ServiceError} CHAT_NOT_FOUND, HISTORY_FULL, REPORT_TOO_LARGE, or STORE_UNAVAILABLE: the same may then be sent again
 */
export function commitReports(
	scope: Scope,
	chatId: string,
	reports: readonly (readonly CheckedRun[])[],
	memory?: Memory,
): Promise<Written<Commit>> {
	const ids = [...new Set(reports.flatMap((report) => report.map(({ run }) => run.id)))];
	let remembered = memory && recall(memory, ids);
	return writeD1(scope, async (session) => {
		const known = remembered;
		// Whatever goes wrong, the next try begins with what D1 has.
		if (!known && memory) forget(memory, ids);
		remembered = undefined;
		const look = async () => {
			const runs = await readStored(session, chatId, ids);
			if (memory) memory.expectsNew = runs.size < ids.length;
			return runs;
		};
		const now = Date.now();
		const since = keptSince(scope, now);
		let stored = known ?? (await look());
		let merged = mergeReports(stored, reports, since);
		if (known && merged.changed.length === 0) {
			// Nothing to write, so that no guard would notice if a run has gone since.
			stored = await look();
			merged = mergeReports(stored, reports, since);
		}
		const { results, changed, unchanged } = merged;
		await noteHeard(
			session,
			unchanged.filter((told) => isNews(told, stored.get(told.run.id), now)),
			now,
		);
		if (changed.length === 0) return { results, written: null };
		const growth = growthOf(changed, stored);
		return { results, written: await writeWithin(scope, session, chatId, { changed, ids, stored, growth, now }) };
	});
}

/** A write of which it is not said yet whether there is room for it. */
type Growing = Omit<Writing, "growth" | "maxBytes"> & { readonly growth: Growth };

/** Writes runs if the chat's history has room for them. If the operator chose it, makes room. */
async function writeWithin(
	scope: Scope,
	session: D1DatabaseSession,
	chatId: string,
	writing: Growing,
): Promise<WrittenRuns> {
	const { growth, ids } = writing;
	const { maxHistoryBytes, dropsOldest } = readConfig(scope.env);
	const maxBytes = growth.isEnds ? Number.POSITIVE_INFINITY : maxHistoryBytes;
	try {
		return await writeChanged(session, chatId, { ...writing, growth: growth.bytes, maxBytes });
	} catch (error) {
		if (!(error instanceof HistoryFullError)) throw error;
		const room = { growth: growth.bytes, maxBytes, keep: ids };
		const dropped = dropsOldest ? await dropOldest(session, chatId, room) : 0;
		if (dropped === 0) throw historyFull(maxBytes);
		logInfo(scope, { event: "history full", dropped });
		// The chat has changed: the write begins again.
		throw new ConflictError();
	}
}

/** What is remembered of the runs, or undefined if D1 must be asked. */
function recall(memory: Memory, ids: readonly string[]): ReadonlyMap<string, StoredRun> | undefined {
	const runs = new Map<string, StoredRun>();
	for (const id of ids) {
		const run = memory.get(id);
		if (run) runs.set(id, run);
		else if (!memory.expectsNew) return undefined;
	}
	return runs;
}

function forget(memory: Memory, ids: readonly string[]): void {
	for (const id of ids) memory.delete(id);
}
