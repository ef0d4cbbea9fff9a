import type { MiddlewareHandler } from "hono";
import { sha256Hex } from "../digest.ts";
import { readConfig } from "../env.ts";
import { ServiceError } from "../errors.ts";
import type { AppEnv } from "../http/app-env.ts";
import { readSessionToken } from "./cookie.ts";
import { pseudonym } from "./pseudonym.ts";
import { countAgainst, refuseSignIn } from "./rate-limit.ts";
import { readRevokedBefore } from "./revocations.ts";
import { readSession } from "./session.ts";

/**
 * Lets a request pass that carries a signed session cookie, and starts reading its session from KV.
 * The session is not awaited here, so that the handler can read D1 at the same time: a handler must
 * await `c.var.session` before it says anything about the data that it read.
 *
 * @throws {ServiceError} before any store is asked: INVALID_SESSION unless the cookie's signature is right, RATE_LIMITED
 */
export const requireSession: MiddlewareHandler<AppEnv> = async function requireSession(c, next) {
	const { sessionSecrets, sessionCookiePrefix } = readConfig(c.env);
	const scope = c.get("scope");
	const cookie = c.req.header("cookie");
	const signed = await readSigned(cookie, sessionSecrets, sessionCookiePrefix);
	if (signed === null) {
		const sent = cookie?.includes(`${sessionCookiePrefix}.session_token=`) ? cookie : undefined;
		return refuseSignIn(c, new ServiceError("INVALID_SESSION"), sent);
	}
	const { token, digest, userBefore } = signed;
	// Counted before any store is asked, so that a caller past the limit costs the stores nothing.
	await countAgainst("READ_LIMIT", `session ${digest}`, scope);
	// Whose session it was is only a guess at whose it is: it is asked ahead whether that user's sessions were revoked, so
	// that this does not wait for the session.
	if (userBefore !== undefined) void readRevokedBefore(scope, userBefore);
	const session = readSession(scope, token, Date.now()).then(
		async (found) => {
			signed.userBefore = found.userId;
			scope.facts.user = await pseudonym(sessionSecrets[0], found.userId);
			return found;
		},
		(error) =>
			error instanceof ServiceError && error.code === "INVALID_SESSION"
				? refuseSignIn(c, error, token)
				: Promise.reject(error),
	);
	// A handler that fails before it awaits the session must not leave an unhandled rejection.
	session.catch(() => {});
	c.set("session", session);
	// In a new scope: reads that are remembered for the first answer are too old by then.
	c.set("rereadSession", () => readSession({ ...scope }, token, Date.now()));
	await next();
};

/** A session token whose signature is right. */
interface SignedToken {
	readonly token: string;
	/** Of the token: to count by, as it tells nobody the token. */
	readonly digest: string;
	/** Whose session this isolate has last found it to be. */
	userBefore?: string;
}

/** By the secrets and the cookies that were verified: whoever polls sends the same again. Never what was refused. */
const verified = new Map<string, SignedToken>();
const MAX_VERIFIED = 1_000;
/** Longer ones are verified each time, so that the memory of all together stays under 2 MB. */
const MAX_KEY_LENGTH = 1_000;

async function readSigned(
	cookie: string | undefined,
	secrets: readonly string[],
	prefix: string,
): Promise<SignedToken | null> {
	const key = `${secrets}\n${prefix}\n${cookie}`;
	const before = verified.get(key);
	if (before) return before;
	const token = await readSessionToken(cookie, secrets, prefix);
	if (token === null) return null;
	const signed = { token, digest: await sha256Hex(new TextEncoder().encode(token), 32) };
	if (verified.size >= MAX_VERIFIED) verified.clear();
	if (key.length <= MAX_KEY_LENGTH) verified.set(key, signed);
	return signed;
}
