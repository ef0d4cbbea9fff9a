/**
 * What went wrong, and what became of the reports.
 * - `configuration`: there is no usable address, token or binding. Nothing is recorded.
 * - `invalid`: a report could not be read, or a part of it was left out.
 * - `unreachable`: the service does not answer, or not as it should. Reports wait, and are sent when it is back.
 * - `unauthorized`: the service does not know the token. Reports wait; it is tried again each minute.
 * - `refused`: the service does not take a report. It is dropped, and nothing else.
 * - `dropped`: more waited than may. What ended first is lost.
 * - `unsent`: a flush ended before all was sent. What is left waits on, as long as the process lives.
 * - `warning`: the service recorded a report, and left a part of it out.
 */
export type RecorderErrorKind =
	| "configuration"
	| "invalid"
	| "unreachable"
	| "unauthorized"
	| "refused"
	| "dropped"
	| "unsent"
	| "warning";

export interface RecorderErrorDetails {
	/** The service's error code, e.g. `RUN_CONFLICT`. */
	readonly code?: string | undefined;
	readonly chatId?: string | undefined;
	/** The runs that it is about. */
	readonly runIds?: readonly string[] | undefined;
	readonly cause?: unknown;
}

/** Given to `onError`, never thrown. Holds no token. */
export class RecorderError extends Error {
	override readonly name = "RecorderError";
	readonly kind: RecorderErrorKind;
	readonly code: string | undefined;
	readonly chatId: string | undefined;
	readonly runIds: readonly string[];

	constructor(kind: RecorderErrorKind, message: string, details: RecorderErrorDetails = {}) {
		super(message, { cause: details.cause });
		this.kind = kind;
		this.code = details.code;
		this.chatId = details.chatId;
		this.runIds = details.runIds ?? [];
	}
}

export type Tell = (kind: RecorderErrorKind, message: string, details?: RecorderErrorDetails) => void;

/** Tells `onError`, whose own errors are nobody's. Without one: `console.warn`, once a kind. */
export function tellBy(onError: ((error: RecorderError) => void) | undefined): Tell {
	const warned = new Set<RecorderErrorKind>();
	return (kind, message, details) => {
		try {
			if (onError) onError(new RecorderError(kind, message, details));
			else if (!warned.has(kind)) {
				warned.add(kind);
				console.warn(`edge-runs recorder: ${message} (told once; onError is told each time)`);
			}
		} catch {
			// The workflow comes first.
		}
	};
}

/** Codes of what may pass by itself, or by an operator's hand. All others would meet the same report again. */
const MAY_PASS = new Set<string | null>([
	"INTERNAL_ERROR",
	"INVALID_TOKEN",
	"METHOD_NOT_ALLOWED",
	"RATE_LIMITED",
	"ROUTE_NOT_FOUND",
	"STORE_UNAVAILABLE",
]);

/** What a transport throws where the service refused, or could not. */
export class Refusal extends Error {
	override readonly name = "Refusal";
	/** The service's error code; null: the answer is not the service's, e.g. a proxy's. */
	readonly code: string | null;
	/** Whether the same may be taken later. */
	readonly mayPass: boolean;
	readonly retryAfterMilliseconds: number | null;

	/** @param status HTTP status, where there is one */
	constructor(code: string | null, message: string, status?: number, retryAfterMilliseconds: number | null = null) {
		super(message);
		this.code = code;
		this.mayPass = code === null || MAY_PASS.has(code) || (status ?? 0) >= 500;
		this.retryAfterMilliseconds = retryAfterMilliseconds;
	}
}
