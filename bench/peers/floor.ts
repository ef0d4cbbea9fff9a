import type { Env, StoredSession } from "./env.ts";
import { isValid, readRevocations, signedToken } from "./session.ts";

/**
 * The least that a cached, authenticated read must do: verify the cookie's signature, read the session from KV
 * and the stored body from the Cache API, both at once, and whether the owner's sessions were revoked; see that the
 * session's user owns it, and pass the body on.
 * No framework, no log, no D1. What is stored never changes: `PUT` puts it there before the benchmark.
 */
export default {
	async fetch(request, env) {
		if (request.method === "PUT") return store(request);
		const token = await signedToken(request, env.BETTER_AUTH_SECRET);
		if (token === null) return new Response(null, { status: 401 });
		const match = caches.default.match(request.url);
		const [session, stored, revokedBefore] = await Promise.all([
			env.SESSIONS.get<StoredSession>(token, "json"),
			match,
			match.then((found) => readRevocations(env, found?.headers.get("x-owner") ?? null)),
		]);
		if (!isValid(session) || revokedBefore) return new Response(null, { status: 401 });
		if (!stored) return new Response(null, { status: 404 });
		if (stored.headers.get("x-owner") !== session.session.userId) return new Response(null, { status: 403 });
		return new Response(stored.body, { headers: { "content-type": "application/json" } });
	},
} satisfies ExportedHandler<Env>;

async function store(request: Request): Promise<Response> {
	const headers = { "x-owner": request.headers.get("x-owner") ?? "", "cache-control": "max-age=86400" };
	await caches.default.put(request.url, new Response(await request.text(), { headers }));
	return new Response(null, { status: 204 });
}
