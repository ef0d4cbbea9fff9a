import { readdirSync } from "node:fs";
import path from "node:path";
import { backup, DatabaseSync } from "node:sqlite";

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
 * Time Travel restores: in place, under whatever is running.
 */
export async function copyDatabase(from: string, to: string): Promise<void> {
	const source = new DatabaseSync(from);
	try {
		await backup(source, to, { rate: ALL_PAGES });
	} finally {
		source.close();
	}
}
