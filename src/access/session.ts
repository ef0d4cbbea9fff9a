import { withDeadline } from "../deadline.ts";
import { readConfig } from "../env.ts";
import { ServiceError } from "../errors.ts";
import type { Scope, Session } from "../scope.ts";
import { readRevokedBefore } from "./revocations.ts";

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
export async function readSession(scope: Scope, token: string, now: number): Promise<Session> {
	const { env, facts } = scope;
	const { storeTimeoutSeconds } = readConfig(env);
	try {
		const value = await withDeadline(env.SESSIONS.get(token, "text"), storeTimeoutSeconds, scope);
		const session = value === null ? null : parseSession(value, now);
		if (!session) throw new ServiceError("INVALID_SESSION");
		// A date that cannot be read is NaN, which is no later than anything.
		const revokedBefore = await readRevokedBefore(scope, session.userId);
		if (revokedBefore > 0 && !(session.createdAt >= revokedBefore)) throw new ServiceError("INVALID_SESSION");
		return { userId: session.userId };
	} catch (cause) {
		throw cause instanceof ServiceError ? cause : new ServiceError("STORE_UNAVAILABLE", undefined, { cause });
	} finally {
		facts.kvMilliseconds = Date.now() - now;
	}
}

interface StoredSession extends Session {
	/** Milliseconds since the epoch; NaN if unreadable. */
	readonly createdAt: number;
}

/** A stored session, or null unless it is unexpired and its user exists. */
function parseSession(value: string, now: number): StoredSession | null {
	let stored: unknown;
	try {
		stored = JSON.parse(value);
	} catch {
		return null;
	}
	if (!isObject(stored) || !isObject(stored["session"])) return null;
	// better-auth does not accept a session without its user either.
	if (!isObject(stored["user"])) return null;
	const { userId, expiresAt, createdAt } = stored["session"];
	if (typeof userId !== "string" || userId === "") return null;
	// KV may keep a key past its expiration. An unreadable date gives NaN, which is not later than now.
	if (typeof expiresAt !== "string" || !(Date.parse(expiresAt) > now)) return null;
	return { userId, createdAt: Date.parse(String(createdAt)) };
}

function isObject(value: unknown): value is Record<string, unknown> {
	return typeof value === "object" && value !== null;
}
