import type { MiddlewareHandler } from "hono";
import { routePath } from "hono/route";
import type { AppEnv } from "./app-env.ts";
import { scopeOf } from "./scope.ts";

/** One structured JSON line to the Worker's log. */
export type LogLine = { readonly requestId: string; readonly event: string } & Readonly<Record<string, unknown>>;

/*
 * No cookie, token or secret is ever passed to these. Paths are logged without their query.
 */

export function logInfo(line: LogLine): void {
	console.log(JSON.stringify({ level: "info", ...line }));
}

export function logError(line: LogLine, error: unknown): void {
	console.error(JSON.stringify({ level: "error", ...line, error: describe(error) }));
}

/** An error with its chain of causes, as text. */
function describe(error: unknown): string {
	if (!(error instanceof Error)) return String(error);
	const own = error.stack ?? `${error.name}: ${error.message}`;
	return error.cause === undefined ? own : `${own}\ncaused by ${describe(error.cause)}`;
}

/**
 * Opens a request's scope, and logs one line when it is answered.
 * `milliseconds` is wall time, which Workers move only with I/O.
 */
export const openScope: MiddlewareHandler<AppEnv> = async function openScope(c, next) {
	const start = Date.now();
	const { requestId } = c.var;
	const scope = scopeOf(c.env, c.executionCtx, requestId);
	c.set("scope", scope);
	await next();
	logInfo({
		requestId,
		event: "request",
		method: c.req.method,
		route: routePath(c, -1),
		path: c.req.path,
		status: c.res.status,
		milliseconds: Date.now() - start,
		...scope.facts,
	});
};
