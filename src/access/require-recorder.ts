import type { MiddlewareHandler } from "hono";
import { timingSafeEqual } from "hono/utils/buffer";
import { readConfig } from "../env.ts";
import { ServiceError } from "../errors.ts";
import type { AppEnv } from "../http/app-env.ts";
import { readBearer } from "./bearer.ts";
import { countAgainst, refuseSignIn } from "./rate-limit.ts";

/**
 * Lets a request pass that carries one of the service tokens. A user's cookie is ignored here.
 * @throws {ServiceError} INVALID_TOKEN
 */
export const requireRecorder: MiddlewareHandler<AppEnv> = async function requireRecorder(c, next) {
	const { recorderTokens } = readConfig(c.env);
	const authorization = c.req.header("authorization");
	const refuse = () => refuseSignIn(c, new ServiceError("INVALID_TOKEN"), authorization);
	const token = readBearer(authorization);
	if (token === null) return refuse();
	// All tokens are compared, each in constant time, so that the time says nothing about how close a guess was.
	const matches = await Promise.all(recorderTokens.map((known) => timingSafeEqual(known, token)));
	const which = matches.indexOf(true);
	if (which === -1) return refuse();
	await countAgainst("WRITE_LIMIT", `token ${which + 1}`, c.var.scope);
	await next();
};
