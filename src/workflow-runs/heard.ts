import { and, inArray, isNull, sql } from "drizzle-orm";
import { drizzleOver } from "../db/drizzle.ts";
import { workflowRuns } from "../db/schema.ts";
import { writeD1 } from "../db/write.ts";
import type { Scope } from "../scope.ts";
import type { StoredRun } from "./row.ts";
import { isTerminal } from "./schemas.ts";
import type { ToldRun } from "./told.ts";

/*
 * When the service last heard news of a run, by its own clock: a recorder's may be wrong, and must neither end a run nor
 * keep it. Written with what a report changes. One that changes nothing is news too, and costs a write now and then.
 */

/** How exact it is, in milliseconds. */
export const HEARD_WITHIN = 900_000;

/** Whether a run that is running needs to be noted as heard of. */
export const isLongAgo = ({ heardAt }: StoredRun, now: number) => now - Date.parse(heardAt) > HEARD_WITHIN;

/** Whether a report that changes nothing of a run is to be noted: it was long ago, or tells of a later moment. */
export function isNews({ toldAt }: ToldRun, stored: StoredRun | undefined, now: number): boolean {
	if (!stored) return false;
	if (toldAt > stored.toldAt) return true;
	return !isTerminal(stored.run.status) && !stored.givenUp && isLongAgo(stored, now);
}

/** Notes that runs were heard of. What is served of them stays as it is, and so does the chat's revision. */
export async function noteHeard(session: D1DatabaseSession, runs: readonly ToldRun[], now: number): Promise<void> {
	if (runs.length === 0) return;
	const told = JSON.stringify(Object.fromEntries(runs.map(({ run, toldAt }) => [run.id, toldAt])));
	await drizzleOver(session)
		.update(workflowRuns)
		.set({
			heardAt: new Date(now).toISOString(),
			toldAt: sql`max(ifnull(${workflowRuns.toldAt}, ''), told.value)`,
		})
		.from(sql`json_each(${told}) as told`)
		.where(sql`${workflowRuns.id} = told.key`);
}

const BATCH_RUNS = 2_500;
const MAX_BATCHES = 4;

/**
 * Begins to listen to the runs that another version has begun, and of which nobody has noted when they were heard of: now,
 * so that none is given up or deleted for a silence that may not have been.
 */
export async function beginToListen(scope: Scope, now: number): Promise<void> {
	const { id, completedAt, heardAt } = workflowRuns;
	for (let batches = 0; batches < MAX_BATCHES; batches++) {
		const { result } = await writeD1(scope, (session) => {
			const db = drizzleOver(session);
			const unheard = db
				.select({ id })
				.from(workflowRuns)
				.where(and(isNull(completedAt), isNull(heardAt)))
				.limit(BATCH_RUNS);
			return db
				.update(workflowRuns)
				.set({ heardAt: new Date(now).toISOString() })
				.where(inArray(id, unheard))
				.run();
		});
		if (result.meta.changes < BATCH_RUNS) break;
	}
}
