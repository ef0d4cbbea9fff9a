import type { MiddlewareHandler } from "hono";
import { routePath } from "hono/route";
import { logInfo } from "../log.ts";
import { scopeOf } from "../scope.ts";
import type { AppEnv } from "./app-env.ts";

/** A path that has a user's id in it, which no log may have: also with a slash that is not encoded or one that is, or where no route is. */
const USER = /^(.*?\/users(?:%2f|\W)).+?(\/export)?$/is;

/** The runtime gives whole URLs, so that they need not be parsed. */
const hostOf = (url: string) => url.split("/", 3)[2];

/**
 * Opens a request's scope, and logs one line when it is answered.
 * `milliseconds` is wall time, which Workers move only with I/O.
 */
export const openScope: MiddlewareHandler<AppEnv> = async function openScope(c, next) {
	const start = Date.now();
	const scope = scopeOf(c.env, c.executionCtx, c.get("requestId"), hostOf(c.req.url));
	c.set("scope", scope);
	await next();
	logInfo(scope, {
		event: "request",
		method: c.req.method,
		// The route that answered: the deepest that was run, not the last that matches.
		route: routePath(c),
		path: c.req.path.replace(USER, "$1:userId$2"),
		status: c.res.status,
		milliseconds: Date.now() - start,
		...scope.facts,
	});
};
