export interface Env {
	readonly DB: D1Database;
	readonly SESSIONS: KVNamespace;
	readonly BETTER_AUTH_SECRET: string;
}

/** What better-auth stores for a session: the part that says who is asking. */
export interface StoredSession {
	readonly session: { readonly userId: string; readonly expiresAt: string };
}
