import { withDeadline } from "../deadline";
import { readConfig } from "../env";
import { ServiceError } from "../errors";
import type { Scope } from "../scope";

/** Who is asking. */
export interface Session {
	readonly userId: string;
}

/**
 * Looks a session token up in better-auth's `secondaryStorage`.
 *
 * Key: the token as it is. Value (better-auth 1.7): JSON
 * `{"session":{"userId","token","expiresAt",…},"user":{…}|null}`, dates in ISO 8601.
 *
 * @param now milliseconds since the epoch
 * @throws {ServiceError} INVALID_SESSION if it is unknown, revoked, expired or malformed;
 *   STORE_UNAVAILABLE if KV does not answer: nobody is logged out by an outage
 */
export async function readSession({ env, facts }: Scope, token: string, now: number): Promise<Session> {
	const { storeTimeoutSeconds } = readConfig(env);
	let value: string | null;
	try {
		value = await withDeadline(env.SESSIONS.get(token, "text"), storeTimeoutSeconds);
	} catch (cause) {
		throw new ServiceError("STORE_UNAVAILABLE", undefined, { cause });
	} finally {
		facts.kvMilliseconds = Date.now() - now;
	}
	const userId = value === null ? null : readUserId(value, now);
	if (userId === null) throw new ServiceError("INVALID_SESSION");
	return { userId };
}

/** The user id of a stored session, or null unless it is unexpired and its user exists. */
function readUserId(value: string, now: number): string | null {
	let stored: unknown;
	try {
		stored = JSON.parse(value);
	} catch {
		return null;
	}
	if (!isObject(stored) || !isObject(stored["session"])) return null;
	// better-auth, too, knows nobody by a session without its user.
	if (!isObject(stored["user"])) return null;
	const { userId, expiresAt } = stored["session"];
	if (typeof userId !== "string" || userId === "") return null;
	// KV may keep a key past its expiration. An unreadable date gives NaN, which is not later than now.
	return typeof expiresAt === "string" && Date.parse(expiresAt) > now ? userId : null;
}

function isObject(value: unknown): value is Record<string, unknown> {
	return typeof value === "object" && value !== null;
}
