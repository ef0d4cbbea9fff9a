import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { serializeSigned } from "hono/utils/cookie";
import { vi } from "vitest";
import { app } from "../../src/app.ts";
import type { Env } from "../../src/env.ts";
import { conforming } from "./conforms.ts";

/** A fresh lower-case UUID. */
export const uuid = () => crypto.randomUUID();

/** Until something holds, for as long as a busy machine may take. */
export const eventually = <T>(holds: () => T | Promise<T>) => vi.waitFor(holds, { timeout: 10_000 });

/** Calls the Worker as a client would, and checks the answer by the published schema. `path` starts with `/`. */
export async function request(path: string, init?: RequestInit): Promise<Response> {
	const sent = new Request(`http://edge-runs.test${path}`, init);
	return conforming(sent, await exports.default.fetch(sent.clone()));
}

/**
 * Like `request`, with other bindings, vars or secrets: they replace the ones of `wrangler.toml`. A hub has bindings of
 * its own: with another D1, or vars, there is no hub unless one is given, and the door writes by itself.
 */
export async function requestWith(
	changed: { [K in keyof Env]?: Env[K] | undefined },
	path: string,
	init?: RequestInit,
): Promise<Response> {
	const sent = new Request(`http://edge-runs.test${path}`, init);
	const context = createExecutionContext();
	const response = await app.fetch(sent.clone(), { ...env, HUB: undefined, ...changed } as Env, context);
	await waitOnExecutionContext(context);
	return conforming(sent, response);
}

/** The path of a chat's runs. */
export const runsPath = (chatId: string) => `/api/chats/${chatId}/workflow-runs`;

/** What better-auth stores for a session, with an hour to live unless `session` says otherwise. */
export function storedSession(userId: string, token: string, session: Record<string, unknown> = {}) {
	const now = new Date().toISOString();
	const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
	return {
		session: { id: uuid(), userId, token, expiresAt, createdAt: now, updatedAt: now, ...session },
		user: { id: userId, email: `${userId}@example.com`, emailVerified: true, createdAt: now, updatedAt: now },
	};
}

/** A better-auth session cookie, signed as better-auth signs it. */
export async function signedCookie(
	token: string,
	{ secret = env.BETTER_AUTH_SECRET, name = "better-auth.session_token" } = {},
): Promise<string> {
	const secure = name.startsWith("__Secure-");
	return (await serializeSigned(name, token, secret, secure ? { secure } : {})).split(";")[0] as string;
}

/** Signs a user in behind better-auth's back: the KV entry and the cookie to send. */
export async function signIn(userId: string): Promise<{ cookie: string; token: string }> {
	const token = uuid().replaceAll("-", "");
	await env.SESSIONS.put(token, JSON.stringify(storedSession(userId, token)));
	return { cookie: await signedCookie(token), token };
}

/** Inserts a chat by SQL and returns its id. */
export async function insertChat(
	userId: string,
	{ id = uuid(), deletedAt = null as string | null } = {},
): Promise<string> {
	await env.DB.prepare("insert into chats (id, user_id, revision, created_at, deleted_at) values (?, ?, ?, ?, ?)")
		.bind(id, userId, uuid(), "2024-02-04T00:00:00.000Z", deletedAt)
		.run();
	return id;
}

export interface StoredRun {
	id?: string;
	workflowId?: string;
	status?: string;
	startedAt?: string | null;
	completedAt?: string | null;
	error?: string | null;
	details?: string;
	steps?: string;
}

/** Inserts runs by SQL, completed unless they say otherwise, and returns their ids. */
export async function insertRuns(chatId: string, runs: readonly StoredRun[]): Promise<string[]> {
	const insert = env.DB.prepare(
		`insert into workflow_runs (id, chat_id, workflow_id, status, started_at, completed_at, error, details, steps, revision, created_at)
		 values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
	);
	const ids: string[] = [];
	const statements = runs.map((run) => {
		const id = run.id ?? uuid();
		ids.push(id);
		return insert.bind(
			id,
			chatId,
			run.workflowId ?? uuid(),
			run.status ?? "completed",
			run.startedAt === undefined ? "2024-02-04T12:00:00.000Z" : run.startedAt,
			run.completedAt === undefined ? "2024-02-04T12:01:30.000Z" : run.completedAt,
			run.error ?? null,
			run.details ?? "{}",
			run.steps ?? "[]",
			"revision",
			"2024-02-04T00:00:00.000Z",
		);
	});
	for (let i = 0; i < statements.length; i += 500) await env.DB.batch(statements.slice(i, i + 500));
	return ids;
}
