import { readdirSync } from "node:fs";
import path from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import type { storesOf } from "../lab/server.ts";

export type D1 = Awaited<ReturnType<typeof storesOf>>["d1"];

const ALL_PAGES = 2 ** 30;

/** SQLite's file of a local store. Another program may open it while workerd has it open. */
export function fileOf(
	state: string,
	store: "d1/miniflare-D1DatabaseObject" | "kv/miniflare-KVNamespaceObject",
): string {
	const folder = path.join(state, store);
	const [file] = readdirSync(folder).filter((name) => /^[0-9a-f]{64}\.sqlite$/.test(name));
	if (file === undefined) throw new Error(`no database in ${folder}`);
	return path.join(folder, file);
}

/**
 * Copies a whole database into another one, which may be in use: SQLite does it page by page, in one transaction. So D1's
 * Time Travel restores: in place, under whatever is running. A query that is under way may fail by it.
 */
export async function copyDatabase(from: string, to: string): Promise<void> {
	const source = new DatabaseSync(from);
	try {
		for (let attempt = 1; ; attempt++) {
			try {
				await backup(source, to, { rate: ALL_PAGES });
				return;
			} catch (error) {
				if (!isLocked(error) || attempt === COPY_ATTEMPTS) throw error;
			}
			await sleep(10);
		}
	} finally {
		source.close();
	}
}

const COPY_ATTEMPTS = 1_000;

/** Whether a lock was held, so that nothing was copied. `backup` of Node.js reports that with the code of success. */
const isLocked = (error: unknown) => (error as { errcode?: number }).errcode === 0;

/** How many entries of the users' runs are missing, too many or wrong. */
export async function countOfWrongUserRuns(d1: D1): Promise<number | null> {
	const entries = "select user_id, status, start_order, run_id from user_runs";
	const runs = `select user_id, status, start_order, workflow_runs.id as run_id from workflow_runs
		join chats on chats.id = chat_id where deleted_at is null`;
	return d1
		.prepare(
			`select count(*) as n from (select * from (${entries} except ${runs}) union all select * from (${runs} except ${entries}))`,
		)
		.first<number>("n");
}
