import { EdgeRunsError } from "./errors.ts";

/**
 * Why a connection was lost.
 * - `no_answer`: nothing came back: no network, a wrong address, or an origin that the service does not allow
 * - `offline`: the browser says that the device is offline
 * - `silent`: nothing came for 45 seconds, although the service sends something every 15
 * - `closed`: it was closed. The service does so after an hour, and when it is deployed
 * - `refused`: the service failed, or was asked too often; `error` is its EdgeRunsError
 * - `unexpected`: the answer is not from edge-runs, but e.g. from a proxy's sign-in page
 * - `hidden`: nobody has looked at the page for a minute. It is opened again when somebody does
 */
export type LossReason = "no_answer" | "offline" | "silent" | "closed" | "refused" | "unexpected" | "hidden";

/**
 * Why the connection has ended for good.
 * - `session_ended`, `chat_forbidden`, `chat_deleted`: as the service's event `end` says. A chat that never existed
 *   is `chat_deleted`, too
 * - `run_ended`: the stream of one run ends with the run
 * - `refused`: for another reason; `error` says which
 * - `stopped`: by the caller, with `close()` or `signal`
 */
export type EndReason = "session_ended" | "chat_forbidden" | "chat_deleted" | "run_ended" | "refused" | "stopped";

/** The state of the connection to the service. */
export type LineState =
	/** It is opened for the first time. There are no runs yet. */
	| { readonly status: "connecting" }
	/** It is open, the first runs are here, and something came within the last 45 seconds. */
	| { readonly status: "live" }
	| {
			/** It was lost, or could not be opened. The runs may be out of date. */
			readonly status: "reconnecting";
			readonly reason: LossReason;
			/** For developers: what may be wrong. */
			readonly message: string;
			/** The thrown error, if there was one. */
			readonly error: unknown;
			/** The time of the next try, in milliseconds since the epoch; null during a try, or while nobody looks. */
			readonly nextTryAt: number | null;
	  }
	| {
			/** It will not be tried again. */
			readonly status: "ended";
			readonly reason: EndReason;
			readonly message: string;
			/** Null if it ended normally. */
			readonly error: EdgeRunsError | null;
	  };

export interface Loss {
	readonly reason: LossReason;
	readonly message: string;
	readonly error: unknown;
}

export interface End {
	readonly reason: EndReason;
	readonly message: string;
	readonly error: EdgeRunsError | null;
}

/** In the words of the service's own error list. */
const STREAM_ENDS = {
	session_ended: { code: "INVALID_SESSION", status: 401, message: "The session has ended" },
	chat_forbidden: { code: "CHAT_FORBIDDEN", status: 403, message: "Cannot access another user's chat" },
	chat_deleted: { code: "CHAT_NOT_FOUND", status: 404, message: "Chat does not exist" },
} as const;

/** What the data of an event `end` means. Coming back to ask why would not do: a rate limit may answer instead. */
export function readEnd(data: string, requestId: string | null): End {
	const { reason } = JSON.parse(data) as { reason: EndReason };
	if (reason === "run_ended") return { reason, message: "The workflow run has ended", error: null };
	if (Object.hasOwn(STREAM_ENDS, reason)) {
		const { code, status, message } = STREAM_ENDS[reason as keyof typeof STREAM_ENDS];
		return { reason, message, error: new EdgeRunsError(code, message, status, requestId) };
	}
	return refusedBy(new EdgeRunsError("UNEXPECTED_RESPONSE", `The stream ended: ${reason}`, 200, requestId));
}

/** The end that a refusal makes. */
export function refusedBy(error: EdgeRunsError): End {
	const known = Object.entries(STREAM_ENDS).find(([, { code }]) => code === error.code);
	const reason = known ? (known[0] as EndReason) : error.code === "INVALID_TOKEN" ? "session_ended" : "refused";
	return { reason, message: error.message, error };
}

/**
 * What may be wrong where there was no answer. `fetch` throws a TypeError, and browsers do not tell a page why. Other errors
 * speak for themselves, such as those of a function that gives tokens.
 */
export function describeNoAnswer(error: unknown): string {
	const said = error instanceof Error ? ` (${error.message})` : "";
	if (!(error instanceof TypeError)) return `No answer${said}`;
	const { location } = globalThis as { location?: { origin: string } };
	const origins = location ? `, or the service's ALLOWED_ORIGINS does not name ${location.origin}` : "";
	return `No answer${said}: the network or the service is down, the address is wrong${origins}`;
}
