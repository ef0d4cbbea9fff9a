import { env } from "cloudflare:workers";
import { signedCookie, storedSession } from "../../helpers.ts";

/*
 * What there is while the service is fuzzed. All names are fixed, so that a seed makes the same requests again.
 */

const id = (n: number) => `f0220000-0000-4000-8000-${String(n).padStart(12, "0")}`;

export const OWNER = "fuzz-owner";
/** The owner's chat, the stranger's, one that was deleted, one that never was. */
export const CHATS = { mine: id(1), strangers: id(2), deleted: id(3), none: id(4) };
export const RUNS = [id(10), id(11), id(12), id(13)];
export const WORKFLOWS = [id(20), id(21)];
/** Stands in the stranger's run: no request of the fuzz may ever be answered with it. */
export const SECRET = "what only the stranger may read";

const STRANGERS_RUN = id(30);
/** The owner's session: no log may have it. */
export const TOKEN = "fuzztoken0123456789abcdef";

/** Fills the stores, and returns the owner's cookie. */
export async function makeWorld(): Promise<string> {
	const chat = env.DB.prepare(
		"insert or replace into chats (id, user_id, revision, created_at, deleted_at) values (?, ?, 'revision', '2024-02-04T00:00:00.000Z', ?)",
	);
	await env.DB.batch([
		chat.bind(CHATS.mine, OWNER, null),
		chat.bind(CHATS.strangers, "fuzz-stranger", null),
		chat.bind(CHATS.deleted, OWNER, "2024-02-05T00:00:00.000Z"),
		env.DB.prepare(
			`insert or replace into workflow_runs (id, chat_id, workflow_id, status, error, completed_at, steps, revision, created_at)
			 values (?, ?, ?, 'failed', ?, '2024-02-05T00:00:00.000Z', '[]', 'revision', '2024-02-04T00:00:00.000Z')`,
		).bind(STRANGERS_RUN, CHATS.strangers, WORKFLOWS[0], JSON.stringify({ message: SECRET })),
	]);
	await env.SESSIONS.put(TOKEN, JSON.stringify(storedSession(OWNER, TOKEN)));
	return signedCookie(TOKEN);
}
