import { withDeadline } from "../deadline.ts";
import { readConfig } from "../env.ts";
import type { Scope } from "../scope.ts";

/** What each call has asked KV for already, by user. */
const asked = new WeakMap<Scope, Map<string, Promise<number>>>();

/**
 * When better-auth last ended all sessions of a user, in milliseconds since the epoch; 0 if it never did, or where
 * `CHECK_REVOKED_BEFORE` is off. A session that was made before is over, though its key may still be there: better-auth
 * deletes the keys that its own list of the user's sessions names, and sign-ins at the same time lose some of that list.
 *
 * Key (better-auth 1.7): `revoked-sessions-before-<user id>`. Value: milliseconds since the epoch, as text.
 * Asked once a call, so that whoever learns first who the user may be (a cached copy, D1, KV) can ask for it at once.
 */
export function readRevokedBefore(scope: Scope, userId: string): Promise<number> {
	const { storeTimeoutSeconds, checkRevokedBefore } = readConfig(scope.env);
	if (!checkRevokedBefore) return Promise.resolve(0);
	const users = asked.get(scope) ?? new Map<string, Promise<number>>();
	asked.set(scope, users);
	let answer = users.get(userId);
	if (!answer) {
		const read = scope.env.SESSIONS.get(`revoked-sessions-before-${userId}`, "text");
		answer = withDeadline(read, storeTimeoutSeconds).then(Number);
		// Who only asks ahead never awaits it.
		answer.catch(() => {});
		users.set(userId, answer);
	}
	return answer;
}
