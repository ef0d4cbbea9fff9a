import type { ErrorCode } from "../errors.ts";

/** What an answer can be that is none of the service's own, e.g. a proxy's. */
type ForeignCode = "UNEXPECTED_RESPONSE";

export type EdgeRunsErrorCode = ErrorCode | ForeignCode;

/** The service refused, or could not. `code` says why; a request that got no answer throws what `fetch` throws. */
export class EdgeRunsError extends Error {
	override readonly name = "EdgeRunsError";

	readonly code: EdgeRunsErrorCode;
	/** HTTP status. */
	readonly status: number;
	/** Names the request in the service's log. */
	readonly requestId: string | null;
	/** From `Retry-After`: after how many seconds the same may be tried again. */
	readonly retryAfterSeconds: number | null;

	constructor(
		code: EdgeRunsErrorCode,
		message: string,
		status: number,
		requestId: string | null,
		retryAfterSeconds: number | null,
	) {
		super(message);
		this.code = code;
		this.status = status;
		this.requestId = requestId;
		this.retryAfterSeconds = retryAfterSeconds;
	}
}

/** What the client needs of a response. */
export interface Answer {
	readonly ok: boolean;
	readonly status: number;
	readonly headers: Headers;
	readonly body: ReadableStream<Uint8Array> | null;
	json(): Promise<unknown>;
}

/** The error that a response with a status of 400 or more stands for. */
export async function toError(response: Answer): Promise<EdgeRunsError> {
	const body = (await response.json().catch(() => null)) as { code?: unknown; message?: unknown } | null;
	const isOurs = typeof body?.code === "string" && typeof body.message === "string";
	return new EdgeRunsError(
		isOurs ? (body.code as ErrorCode) : "UNEXPECTED_RESPONSE",
		isOurs ? (body.message as string) : `Status ${response.status} without an error that edge-runs sends`,
		response.status,
		response.headers.get("x-request-id"),
		Number(response.headers.get("retry-after")) || null,
	);
}
