import type { Hook, z } from "@hono/zod-openapi";
import type { Context, ErrorHandler, Hono, NotFoundHandler } from "hono";
import { ERRORS, ServiceError, toErrorBody } from "../errors.ts";
import { logError } from "../log.ts";
import { Uuid } from "../uuid.ts";
import type { AppEnv } from "./app-env.ts";

/** Turns any thrown value into an error response. */
export const onError: ErrorHandler<AppEnv> = (thrown, c) => respondWithError(c, toServiceError(thrown, c));

/** The error to answer with. A thrown value that is not a ServiceError is a bug: only the log gets its text. */
export function toServiceError(thrown: unknown, c: Context<AppEnv>): ServiceError {
	const error =
		thrown instanceof ServiceError ? thrown : new ServiceError("INTERNAL_ERROR", undefined, { cause: thrown });
	const { scope } = c.var;
	scope.facts.code = error.code;
	if (ERRORS[error.code].status >= 500) logError(scope, { event: "error", code: error.code }, error.cause ?? error);
	return error;
}

export const notFound: NotFoundHandler<AppEnv> = (c) => onError(new ServiceError("ROUTE_NOT_FOUND"), c);

function respondWithError(c: Context<AppEnv>, error: ServiceError): Response {
	const { status, headers } = ERRORS[error.code];
	// Also outside of /api, where no middleware sets them.
	const always = { "cache-control": "no-store", "x-content-type-options": "nosniff" };
	return c.json(toErrorBody(error, c.var.requestId), status, { ...always, ...headers });
}

/**
 * Answers 405 with `Allow` (RFC 9110, 15.5.6) if a path exists, but not with the request's method.
 * Call it after all routes were added.
 */
export function refuseOtherMethods(app: Hono<AppEnv>): void {
	const allowed = new Map<string, Set<string>>();
	for (const { path, method } of app.routes) {
		if (method === "ALL") continue; // middleware
		const methods = allowed.get(path) ?? new Set();
		methods.add(method);
		if (method === "GET") methods.add("HEAD"); // Hono answers HEAD by the GET route
		allowed.set(path, methods);
	}
	for (const [path, methods] of allowed) {
		app.all(path, (c) => {
			c.header("allow", [...methods].sort().join(", "));
			return onError(new ServiceError("METHOD_NOT_ALLOWED"), c);
		});
	}
}

/** Names what is wrong and why, e.g. `steps.0.status: Invalid option: …`. */
export function describeIssue({ path, message }: { path: PropertyKey[]; message: string }): string {
	return path.length > 0 ? `${path.join(".")}: ${message}` : message;
}

/**
 * Refuses input that does not fit a route's schemas, and names what is wrong.
 * The session is checked before the input: a caller who is not signed in gets a 401, whatever the input.
 */
export const onInvalidInput: Hook<unknown, AppEnv, string, unknown> = async (result, c) => {
	if (result.success) return;
	await c.var.session;
	refuseMalformedIds(c.req.param());
	const [issue] = result.error.issues as [z.core.$ZodIssue];
	if (result.target === "json") throw new ServiceError("INVALID_BODY", describeIssue(issue));
	const [name] = issue.path;
	// A list of values is refused as such where the parameter takes one, and else within the list.
	if (result.target === "query" && issue.path.length === 1 && (c.req.queries(String(name))?.length ?? 0) > 1) {
		throw new ServiceError("INVALID_PARAMETER", `${String(name)}: is repeated, and must be there once`);
	}
	// If a query parameter holds a list, the message names the parameter, not the place in the list.
	throw new ServiceError("INVALID_PARAMETER", describeIssue({ ...issue, path: issue.path.slice(0, 1) }));
};

/** Malformed ids are refused before other bad input, although @hono/zod-openapi checks the query before them. */
function refuseMalformedIds({ chatId, runId }: { chatId?: string; runId?: string }): void {
	if (chatId !== undefined && !Uuid.safeParse(chatId).success) throw new ServiceError("INVALID_CHAT_ID");
	if (runId !== undefined && !Uuid.safeParse(runId).success) throw new ServiceError("INVALID_RUN_ID");
}
