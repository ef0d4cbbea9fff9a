import type { ContentfulStatusCode } from "hono/utils/http-status";

interface ErrorSpec {
	readonly status: ContentfulStatusCode;
	/** The contract's "Error" column: the status's reason phrase (RFC 9110). */
	readonly error: string;
	/** The contract's "Description" column. A verb that knows more says it instead. */
	readonly message: string;
	/** Headers that belong to the status. */
	readonly headers?: Readonly<Record<string, string>>;
}

/** Every error that this service answers with, by its `code`. The list is closed: code that throws another one does not compile. */
const SPECS = {
	INVALID_CHAT_ID: { status: 400, error: "Bad Request", message: "Invalid chat ID format" },
	INVALID_RUN_ID: { status: 400, error: "Bad Request", message: "Invalid workflow run ID format" },
	INVALID_PARAMETER: { status: 400, error: "Bad Request", message: "Invalid parameter" },
	INVALID_BODY: { status: 400, error: "Bad Request", message: "Invalid request body" },
	INVALID_SESSION: {
		status: 401,
		error: "Unauthorized",
		message: "Invalid or missing session",
		// A 401 has to name a scheme (RFC 9110, 11.6.1), and may name several. There is no registered one for cookies;
		// browsers do not ask for a password at a scheme that they do not know. Bearer is for read tokens.
		headers: { "www-authenticate": 'Cookie realm="edge-runs", Bearer realm="edge-runs"' },
	},
	INVALID_TOKEN: {
		status: 401,
		error: "Unauthorized",
		message: "Invalid or missing token",
		// RFC 9110, 15.5.2; the scheme is RFC 6750's.
		headers: { "www-authenticate": 'Bearer realm="edge-runs"' },
	},
	CHAT_FORBIDDEN: { status: 403, error: "Forbidden", message: "Cannot access another user's chat" },
	CHAT_NOT_FOUND: { status: 404, error: "Not Found", message: "Chat does not exist" },
	RUN_NOT_FOUND: { status: 404, error: "Not Found", message: "Workflow run does not exist" },
	USER_NOT_FOUND: { status: 404, error: "Not Found", message: "No chat is registered for the user" },
	ROUTE_NOT_FOUND: { status: 404, error: "Not Found", message: "No such route" },
	METHOD_NOT_ALLOWED: { status: 405, error: "Method Not Allowed", message: "Method not allowed on this route" },
	CHAT_CONFLICT: { status: 409, error: "Conflict", message: "The chat belongs to another user" },
	CHAT_DELETED: {
		status: 409,
		error: "Conflict",
		message: "The chat was deleted; register it with restore: true to bring it back",
	},
	RUN_CONFLICT: { status: 409, error: "Conflict", message: "The workflow run was reported otherwise before" },
	HISTORY_FULL: { status: 409, error: "Conflict", message: "The chat's history has no room for more" },
	BODY_TOO_LARGE: { status: 413, error: "Content Too Large", message: "The body is larger than 1,000,000 bytes" },
	REPORT_TOO_LARGE: {
		status: 413,
		error: "Content Too Large",
		message: "The runs of the report are too large to be merged at once",
	},
	UNSUPPORTED_MEDIA_TYPE: {
		status: 415,
		error: "Unsupported Media Type",
		message: "The body must be application/json, without a content encoding",
	},
	RATE_LIMITED: {
		status: 429,
		error: "Too Many Requests",
		message: "Too many requests; try again later",
		// In seconds: the period of the read and write limits in wrangler.toml.
		headers: { "retry-after": "10" },
	},
	INTERNAL_ERROR: { status: 500, error: "Internal Server Error", message: "Something went wrong on our side" },
	STORE_UNAVAILABLE: {
		status: 503,
		error: "Service Unavailable",
		message: "A data store is unavailable; try again shortly",
		// In seconds (RFC 9110, 10.2.3).
		headers: { "retry-after": "2" },
	},
} as const satisfies Record<string, ErrorSpec>;

/** The `code` of an error's body. */
export type ErrorCode = keyof typeof SPECS;

export const ERRORS: Readonly<Record<ErrorCode, ErrorSpec>> = SPECS;

/**
 * A verb throws it to refuse a request. It knows no transport: each door translates it, HTTP by `toErrorBody`.
 */
export class ServiceError extends Error {
	override readonly name = "ServiceError";
	readonly code: ErrorCode;

	/**
	 * @param code which error, from the closed list
	 * @param detail a more exact message than the code's. The caller sees it
	 * @param options `cause`: the reason, for the log only
	 */
	constructor(code: ErrorCode, detail?: string, options?: ErrorOptions) {
		super(detail ?? ERRORS[code].message, options);
		this.code = code;
	}
}

/** The JSON body of every error response. */
export interface ErrorBody {
	/** The contract's "Error" column, e.g. `Not Found`. */
	error: string;
	code: ErrorCode;
	/** A sentence for people; `code` is for programs. */
	message: string;
	/** The same as the response's `x-request-id`; every log line of the request carries it. */
	requestId: string;
}

export function toErrorBody(error: ServiceError, requestId: string): ErrorBody {
	return { error: ERRORS[error.code].error, code: error.code, message: error.message, requestId };
}
