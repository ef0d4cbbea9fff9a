import { DurableObject } from "cloudflare:workers";
import type { Env, StoredSession } from "./env.ts";
import { isValid, readRevocations, signedToken } from "./session.ts";

const PATH = /^\/api\/chats\/([0-9a-f-]{36})\/workflow-runs$/;

const CHAT = "select user_id as userId from chats where id = ? and deleted_at is null";
/** As `runJson` in `src/workflow-runs/json.ts`: D1 puts a run's JSON together. */
const RUNS = `select '{"id":"' || id || '","chatId":"' || chat_id || '","workflowId":"' || workflow_id
	|| '","status":"' || status || '","startedAt":' || ifnull('"' || started_at || '"', 'null')
	|| ',"completedAt":' || ifnull('"' || completed_at || '"', 'null') || ifnull(',"error":' || error, '')
	|| ',"steps":' || steps || '}' as json
	from workflow_runs where chat_id = ? order by start_order desc, id desc`;

/**
 * Our first read over our tables, with nothing around it: KV, and beside it the cache, then one D1 batch of two
 * selects; behind the answer, the cache is filled. No framework, no ORM, no ETag, no deadline, no log.
 * So it tells what these calls cost here, and how little any code of ours could take.
 */
export default {
	async fetch(request, env, ctx) {
		const [, chatId] = PATH.exec(new URL(request.url).pathname) ?? [];
		if (!chatId) return new Response(null, { status: 404 });
		const token = await signedToken(request, env.BETTER_AUTH_SECRET);
		if (token === null) return new Response(null, { status: 401 });
		// As ours does for a session that it has seen before. All chats here have one owner.
		const [session, found, revokedBefore] = await Promise.all([
			env.SESSIONS.get<StoredSession>(token, "json"),
			read(env, chatId),
			readRevocations(env, "bench-user"),
		]);
		if (!isValid(session) || revokedBefore) return new Response(null, { status: 401 });
		if (!found) return new Response(null, { status: 404 });
		if (found.userId !== session.session.userId) return new Response(null, { status: 403 });
		const stored = new Response(found.body, { headers: { "cache-control": "max-age=3600" } });
		ctx.waitUntil(caches.default.put(request.url, stored));
		return new Response(found.body, { headers: { "content-type": "application/json" } });
	},
} satisfies ExportedHandler<Env>;

async function read(env: Env, chatId: string): Promise<{ userId: string; body: string } | null> {
	const stored = await caches.default.match(`https://bare.invalid/${chatId}`);
	if (stored) throw new Error("every read is to be a first one");
	const statements = [CHAT, RUNS].map((sql) => env.DB.prepare(sql).bind(chatId));
	const results = (await env.DB.batch(statements)) as [D1Result<{ userId: string }>, D1Result<{ json: string }>];
	const [{ results: chats }, { results: runs }] = results;
	const [owner] = chats;
	const body = runs.map(({ json }) => json).join();
	return owner ? { ...owner, body: `{"data":{"workflowRuns":[${body}]}}` } : null;
}

/** wrangler.toml names the class. A read needs no hub. */
export class ChatHub extends DurableObject {}
