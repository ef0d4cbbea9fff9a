import type { MiddlewareHandler } from "hono";
import { timingSafeEqual } from "hono/utils/buffer";
import { type Env, readConfig } from "../env.ts";
import { ServiceError } from "../errors.ts";
import type { AppEnv } from "../http/app-env.ts";
import { readBearer } from "./bearer.ts";
import { countAgainst, refuseSignIn } from "./rate-limit.ts";

/** Who shows a token of a list: which list, and what is counted. */
interface Kind {
	/** For people. */
	readonly name: string;
	readonly tokens: "recorderTokens" | "operatorTokens";
	readonly limiter: Extract<keyof Env, `${string}_LIMIT`>;
}

/**
 * Lets a request pass that carries one of the tokens of a list. A user's cookie is ignored there.
 * @returns a handler that throws INVALID_TOKEN or RATE_LIMITED, before any store is asked
 */
export function requireToken({ name, tokens, limiter }: Kind): MiddlewareHandler<AppEnv> {
	return async function requireToken(c, next) {
		const authorization = c.req.header("authorization");
		const refusal = () => new ServiceError("INVALID_TOKEN", `Invalid or missing ${name} token`);
		const known = readConfig(c.env)[tokens];
		const token = readBearer(authorization);
		if (token === null) return refuseSignIn(c, refusal(), authorization);
		// All tokens are compared, each in constant time, so that the time says nothing about how close a guess was.
		const matches = await Promise.all(known.map((each) => timingSafeEqual(each, token)));
		const which = matches.indexOf(true);
		if (which === -1) return refuseSignIn(c, refusal(), authorization);
		c.var.scope.facts.token = `${name} ${which + 1}`;
		await countAgainst(limiter, `token ${which + 1}`, c.var.scope);
		await next();
	};
}
