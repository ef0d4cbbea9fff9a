import { withDeadline } from "../deadline.ts";
import { readConfig } from "../env.ts";
import type { Scope } from "../scope.ts";

/** The reads that each call has already started, by user. */
const asked = new WeakMap<Scope, Map<string, Promise<number>>>();

/** Who reads in these calls has no session that better-auth could end. */
const withoutSessions = new WeakSet<Scope>();

/** Spares a call the reads: it has no session of better-auth's. */
export function askForNoRevocations(scope: Scope): void {
	withoutSessions.add(scope);
}

/**
 * When better-auth last ended all sessions of a user, in milliseconds since the epoch; 0 if it never did, or if
 * `CHECK_REVOKED_BEFORE` is off. Older sessions are over, although a key may still be in KV: better-auth deletes the keys
 * in its list of the user's sessions, and sign-ins at the same time lose parts of that list.
 *
 * Key (better-auth 1.7): `revoked-sessions-before-<user id>`. Value: milliseconds since the epoch, as text.
 * Read once in a call. The first of the cached copy, D1 and KV that names a user can start the read at once.
 */
export function readRevokedBefore(scope: Scope, userId: string): Promise<number> {
	const { storeTimeoutSeconds, checkRevokedBefore } = readConfig(scope.env);
	if (!checkRevokedBefore || withoutSessions.has(scope)) return Promise.resolve(0);
	const users = asked.get(scope) ?? new Map<string, Promise<number>>();
	asked.set(scope, users);
	let answer = users.get(userId);
	if (!answer) {
		const read = scope.env.SESSIONS.get(`revoked-sessions-before-${userId}`, "text");
		answer = withDeadline(read, storeTimeoutSeconds, scope).then(Number);
		// A caller that only starts the read never awaits it.
		answer.catch(() => {});
		users.set(userId, answer);
	}
	return answer;
}
