import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "../app-env";
import { readConfig } from "../env";
import { ServiceError } from "../errors";
import { readSessionToken } from "./cookie";
import { readSession } from "./store";

/**
 * Lets a request pass that carries a signed session cookie, and starts reading its session from KV.
 * The session is not awaited here, so that the handler can read D1 at the same time: a handler must
 * await `c.var.session` before it says anything about what it read.
 *
 * @throws {ServiceError} INVALID_SESSION, before any I/O, unless the cookie's signature is right
 */
export const requireSession: MiddlewareHandler<AppEnv> = async function requireSession(c, next) {
	const { sessionSecret, sessionCookiePrefix } = readConfig(c.env);
	const token = await readSessionToken(c.req.header("cookie"), sessionSecret, sessionCookiePrefix);
	if (token === null) throw new ServiceError("INVALID_SESSION");
	const read = () => readSession(c.var.scope, token, Date.now());
	const session = read();
	// A handler that fails before it awaits the session must not leave an unhandled rejection.
	session.catch(() => {});
	c.set("session", session);
	c.set("rereadSession", read);
	await next();
};
