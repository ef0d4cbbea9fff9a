/**
 * The kind of an error, and what happens to the reports.
 * - `configuration`: the address, token or binding is missing or not usable. Nothing is recorded.
 * - `invalid`: a report could not be read, or a part of it was left out.
 * - `unreachable`: the service does not answer, or not correctly. Reports wait, and are sent when it is back.
 * - `unauthorized`: the service does not know the token. Reports wait, and the recorder tries again each minute.
 * - `refused`: the service refuses a report. Only this report is dropped.
 * - `dropped`: too much was waiting. The runs that ended first are lost.
 * - `unsent`: a flush ended before all reports were sent. They keep waiting, as long as the process lives.
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

/** Calls `onError`, and ignores errors of its own. Without one: `console.warn`, once for each kind. */
export function tellBy(onError: ((error: RecorderError) => void) | undefined): Tell {
	const warned = new Set<RecorderErrorKind>();
	return (kind, message, details) => {
		try {
			// It may be an async function, whose rejection would end a Node process.
			if (onError) Promise.resolve(onError(new RecorderError(kind, message, details))).catch(() => {});
			else if (!warned.has(kind)) {
				warned.add(kind);
				console.warn(`edge-runs recorder: ${message} (told once; onError is told each time)`);
			}
		} catch {
			// The workflow comes first.
		}
	};
}

/** Codes of refusals that may end without a change of the report. With all others the same report would fail again. */
const MAY_PASS = new Set<string | null>([
	"INTERNAL_ERROR",
	"INVALID_TOKEN",
	"METHOD_NOT_ALLOWED",
	"RATE_LIMITED",
	"ROUTE_NOT_FOUND",
	"STORE_UNAVAILABLE",
]);

/** A transport throws it if the service refused, or failed. */
export class Refusal extends Error {
	override readonly name = "Refusal";
	/** The service's error code; null: the answer is not the service's, e.g. a proxy's. */
	readonly code: string | null;
	/** Whether the service may accept the same report later. */
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
