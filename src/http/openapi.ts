import { z } from "@hono/zod-openapi";
import { ERRORS, type ErrorCode } from "../errors.ts";
import { cacheableHeaders, errorHeaders, headers, writtenHeaders } from "./openapi-headers.ts";

const ERROR = "Error";

/** The JSON body of every error response. */
export const ErrorResponse = z
	.strictObject({
		error: z.string().openapi({ description: "The status's reason phrase", example: "Not Found" }),
		code: z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]).openapi({ description: "For programs" }),
		message: z.string().openapi({ description: "For people", example: "Chat does not exist" }),
		requestId: z.string().openapi({ description: "The same as the response's x-request-id" }),
	})
	.openapi(ERROR);

/** A JSON response of a route, for its OpenAPI contract. */
export function json<T extends z.ZodType>(schema: T, description: string) {
	return { description, headers, content: { "application/json": { schema } } };
}

/** A response to a write, for a route's OpenAPI contract. */
export function written<T extends z.ZodType>(schema: T, description: string) {
	return { ...json(schema, description), headers: writtenHeaders };
}

/** A JSON response that a client may keep and revalidate, for a route's OpenAPI contract. */
export function cacheable<T extends z.ZodType>(schema: T, description: string) {
	return {
		200: { ...json(schema, description), headers: cacheableHeaders },
		304: { description: "The client has it: `If-None-Match` names its entity tag", headers: cacheableHeaders },
	};
}

/** A stream of server-sent events, for a route's OpenAPI contract. */
export const eventStream = {
	200: {
		description: "The stream",
		headers,
		content: { "text/event-stream": { schema: z.string().openapi({ example: "event: run\ndata: {…}\nid: …\n\n" }) } },
	},
};

/** The error responses of a route, for its OpenAPI contract: one entry a status, with the codes that it may have. */
export function errors<C extends ErrorCode>(...codes: C[]) {
	const byStatus = Map.groupBy(codes, (code) => ERRORS[code].status);
	return Object.fromEntries([...byStatus].map(([status, named]) => [status, errorResponse(status, named)]));
}

function errorResponse(status: number, codes: readonly ErrorCode[]) {
	const error = { $ref: `#/components/schemas/${ERROR}` };
	return {
		description: codes.map((code) => `${code}: ${ERRORS[code].message}`).join(". "),
		headers: { ...headers, ...errorHeaders[status] },
		content: { "application/json": { schema: { allOf: [error, { properties: { code: { enum: [...codes] } } }] } } },
	};
}

/** Errors of every route that asks for a session. */
export const SESSION_ERRORS = [
	"INVALID_SESSION",
	"METHOD_NOT_ALLOWED",
	"RATE_LIMITED",
	"INVALID_CHAT_ID",
	"CHAT_FORBIDDEN",
	"CHAT_NOT_FOUND",
	"INTERNAL_ERROR",
	"STORE_UNAVAILABLE",
] as const satisfies ErrorCode[];

/** Errors of every route that is about a user's chats together. */
export const USER_ERRORS = [
	"INVALID_SESSION",
	"METHOD_NOT_ALLOWED",
	"RATE_LIMITED",
	"CHAT_FORBIDDEN",
	"INTERNAL_ERROR",
	"STORE_UNAVAILABLE",
] as const satisfies ErrorCode[];

/** Names of the security schemes, and how routes ask for them. */
export const SESSION_COOKIE = "sessionCookie";
export const SECURE_SESSION_COOKIE = "secureSessionCookie";
export const READ_TOKEN = "readToken";
export const RECORDER_TOKEN = "recorderToken";
export const OPERATOR_TOKEN = "operatorToken";
export const recorderSecurity = [{ [RECORDER_TOKEN]: [] }];
export const operatorSecurity = [{ [OPERATOR_TOKEN]: [] }];
export const readerSecurity = [{ [SESSION_COOKIE]: [] }, { [SECURE_SESSION_COOKIE]: [] }, { [READ_TOKEN]: [] }];

/** Errors of every route for recorders. */
export const RECORDER_ERRORS = [
	"INVALID_TOKEN",
	"METHOD_NOT_ALLOWED",
	"RATE_LIMITED",
	"INVALID_CHAT_ID",
	"CHAT_NOT_FOUND",
	"INTERNAL_ERROR",
	"STORE_UNAVAILABLE",
] as const satisfies ErrorCode[];

/** Errors of every route for operators. */
export const OPERATOR_ERRORS = [
	"INVALID_TOKEN",
	"METHOD_NOT_ALLOWED",
	"RATE_LIMITED",
	"INVALID_PARAMETER",
	"INTERNAL_ERROR",
	"STORE_UNAVAILABLE",
] as const satisfies ErrorCode[];

/** Errors of every route that takes a JSON body. */
export const BODY_ERRORS = ["INVALID_BODY", "BODY_TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE"] as const satisfies ErrorCode[];

/** A required JSON body, for a route's OpenAPI contract. */
export function requiredJson<T extends z.ZodType>(schema: T) {
	return { required: true as const, content: { "application/json": { schema } } };
}
