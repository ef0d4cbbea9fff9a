/** Every code that the service answers with. A test compares it with the service's list. */
export type ServiceErrorCode =
	| "INVALID_CHAT_ID"
	| "INVALID_RUN_ID"
	| "INVALID_PARAMETER"
	| "INVALID_BODY"
	| "INVALID_SESSION"
	| "INVALID_TOKEN"
	| "CHAT_FORBIDDEN"
	| "CHAT_NOT_FOUND"
	| "RUN_NOT_FOUND"
	| "USER_NOT_FOUND"
	| "ROUTE_NOT_FOUND"
	| "METHOD_NOT_ALLOWED"
	| "CHAT_CONFLICT"
	| "CHAT_DELETED"
	| "RUN_CONFLICT"
	| "HISTORY_FULL"
	| "BODY_TOO_LARGE"
	| "REPORT_TOO_LARGE"
	| "UNSUPPORTED_MEDIA_TYPE"
	| "RATE_LIMITED"
	| "INTERNAL_ERROR"
	| "STORE_UNAVAILABLE";

/** `UNEXPECTED_RESPONSE`: the answer is not from edge-runs, but e.g. from a proxy. */
export type EdgeRunsErrorCode = ServiceErrorCode | "UNEXPECTED_RESPONSE";

/** The service refused, or failed. `code` says why. A request without an answer throws the error of `fetch` instead. */
export class EdgeRunsError extends Error {
	override readonly name = "EdgeRunsError";

	readonly code: EdgeRunsErrorCode;
	/** HTTP status. Also 400 if the client itself refuses an id, before any request. */
	readonly status: number;
	/** Names the request in the service's log. */
	readonly requestId: string | null;
	/** From `Retry-After`: after how many seconds the same request may be tried again. At most a day. */
	readonly retryAfterSeconds: number | null;

	constructor(
		code: EdgeRunsErrorCode,
		message: string,
		status: number,
		requestId: string | null = null,
		retryAfterSeconds: number | null = null,
	) {
		super(message);
		this.code = code;
		this.status = status;
		this.requestId = requestId;
		this.retryAfterSeconds = retryAfterSeconds;
	}
}

/** The error that a response with a status of 400 or more stands for. */
export async function toError(response: Response): Promise<EdgeRunsError> {
	const { status, headers } = response;
	const body = (await response.json().catch(() => null)) as { code?: unknown; message?: unknown } | null;
	const isOurs = typeof body?.code === "string" && typeof body.message === "string";
	return new EdgeRunsError(
		isOurs ? (body.code as ServiceErrorCode) : "UNEXPECTED_RESPONSE",
		isOurs ? (body.message as string) : `Status ${status} without an error that edge-runs sends`,
		status,
		headers.get("x-request-id"),
		readRetryAfter(headers),
	);
}

/** The error for a success that is not what edge-runs answers with. */
export function toUnexpected({ status, headers, url }: Response, expected: string): EdgeRunsError {
	const type = headers.get("content-type") ?? "no content type";
	const where = url ? ` from ${new URL(url).origin}` : "";
	return new EdgeRunsError(
		"UNEXPECTED_RESPONSE",
		`Expected ${expected}${where}, got status ${status} with ${type}. Is that edge-runs, or is there a proxy or a sign-in page in between?`,
		status,
		headers.get("x-request-id"),
	);
}

/** In seconds. With more than 2^31 milliseconds a timer fires at once. This limit keeps callers from that. */
const MAX_RETRY_AFTER = 86_400;

/** `Retry-After` in seconds (RFC 9110, 10.2.3: a number or a date); null if it is missing, or over. */
export function readRetryAfter(headers: Headers, now = Date.now()): number | null {
	const text = headers.get("retry-after")?.trim() ?? "";
	// By the server's clock, if it sends its time: the device's clock may be wrong.
	const sentAt = Date.parse(headers.get("date") ?? "") || now;
	const seconds = /^\d+$/.test(text) ? Number(text) : Math.ceil((Date.parse(text) - sentAt) / 1000);
	return seconds > 0 ? Math.min(seconds, MAX_RETRY_AFTER) : null;
}
