import type { MiddlewareHandler } from "hono";
import { timingSafeEqual } from "hono/utils/buffer";
import type { AppEnv } from "../app-env";
import { readConfig } from "../env";
import { ServiceError } from "../errors";

/** `Authorization: Bearer b64token` (RFC 6750, 2.1); the scheme in any case (RFC 9110, 11.1). */
const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*) *$/i;

/**
 * Lets a request pass that carries one of the service tokens. A user's cookie is worth nothing here.
 * @throws {ServiceError} INVALID_TOKEN
 */
export const requireRecorder: MiddlewareHandler<AppEnv> = async function requireRecorder(c, next) {
	const { recorderTokens } = readConfig(c.env);
	const [, token] = BEARER.exec(c.req.header("authorization") ?? "") ?? [];
	if (token === undefined) throw new ServiceError("INVALID_TOKEN");
	// All of them, and each in constant time: how long it takes tells nothing of how close a guess was.
	const matches = await Promise.all(recorderTokens.map((known) => timingSafeEqual(known, token)));
	if (!matches.includes(true)) throw new ServiceError("INVALID_TOKEN");
	await next();
};
