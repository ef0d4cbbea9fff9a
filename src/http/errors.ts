import type { Hook, z } from "@hono/zod-openapi";
import type { Context, ErrorHandler, Hono, NotFoundHandler } from "hono";
import { ERRORS, ServiceError, toErrorBody } from "../errors.ts";
import { logError } from "../log.ts";
import { Uuid } from "../uuid.ts";
import type { AppEnv } from "./app-env.ts";

/** Turns whatever was thrown into an error response. */
export const onError: ErrorHandler<AppEnv> = (thrown, c) => respondWithError(c, toServiceError(thrown, c));

/** What was thrown as an error that can be answered with. What is not a ServiceError is a bug, and told to the log alone. */
export function toServiceError(thrown: unknown, c: Context<AppEnv>): ServiceError {
	const error =
		thrown instanceof ServiceError ? thrown : new ServiceError("INTERNAL_ERROR", undefined, { cause: thrown });
	if (ERRORS[error.code].status >= 500) {
		logError({ requestId: c.var.requestId, event: "error", code: error.code }, error.cause ?? error);
	}
	return error;
}

export const notFound: NotFoundHandler<AppEnv> = (c) => respondWithError(c, new ServiceError("ROUTE_NOT_FOUND"));

function respondWithError(c: Context<AppEnv>, error: ServiceError): Response {
	const { status, headers } = ERRORS[error.code];
	// Outside of /api, where no other middleware says so, too.
	const always = { "cache-control": "no-store", "x-content-type-options": "nosniff" };
	return c.json(toErrorBody(error, c.var.requestId), status, { ...always, ...headers });
}

/**
 * Answers 405 with `Allow` (RFC 9110, 15.5.6) where a path has routes but none for the method.
 * To be called when all routes are there.
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
			return respondWithError(c, new ServiceError("METHOD_NOT_ALLOWED"));
		});
	}
}

/** Names what is wrong and why, e.g. `steps.0.status: Invalid option: …`. */
export function describeIssue({ path, message }: { path: PropertyKey[]; message: string }): string {
	return path.length > 0 ? `${path.join(".")}: ${message}` : message;
}

/**
 * Refuses input that a route's schemas do not take, naming what is wrong.
 * The session comes before the input: who is not signed in learns nothing but that.
 */
export const onInvalidInput: Hook<unknown, AppEnv, string, unknown> = async (result, c) => {
	if (result.success) return;
	await c.var.session;
	refuseMalformedIds(c.req.param());
	const [issue] = result.error.issues as [z.core.$ZodIssue];
	if (result.target === "json") throw new ServiceError("INVALID_BODY", describeIssue(issue));
	// Of a query parameter that holds a list, the parameter is named, not the place in it.
	throw new ServiceError("INVALID_PARAMETER", describeIssue({ ...issue, path: issue.path.slice(0, 1) }));
};

/** Ids are named before all other input that is wrong, though @hono/zod-openapi looks at the query before them. */
function refuseMalformedIds({ chatId, runId }: { chatId?: string; runId?: string }): void {
	if (chatId !== undefined && !Uuid.safeParse(chatId).success) throw new ServiceError("INVALID_CHAT_ID");
	if (runId !== undefined && !Uuid.safeParse(runId).success) throw new ServiceError("INVALID_RUN_ID");
}
