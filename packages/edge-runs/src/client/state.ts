import { EdgeRunsError } from "./errors.ts";

/**
 * Why a line was lost.
 * - `no_answer`: nothing came back at all: no network, a wrong address, or an origin that the service does not allow
 * - `offline`: the browser says that the device is offline
 * - `silent`: nothing was heard for 45 seconds, where the service sends something every 15
 * - `closed`: the line was closed, as the service does after an hour and when it is deployed
 * - `refused`: the service could not, or was asked too often; `error` is its EdgeRunsError
 * - `unexpected`: an answer that edge-runs does not give, e.g. a proxy's sign-in page
 * - `hidden`: nobody has looked at the page for a minute; the line is opened again when somebody does
 */
export type LossReason = "no_answer" | "offline" | "silent" | "closed" | "refused" | "unexpected" | "hidden";

/**
 * Why nothing more comes.
 * - `session_ended`, `chat_forbidden`, `chat_deleted`: as the service's event `end` says it; a chat that never was is
 *   `chat_deleted`, too
 * - `run_ended`: the stream of one run ends with the run
 * - `refused`: refused otherwise; `error` says why
 * - `stopped`: by its own user, with `close()` or `signal`
 */
export type EndReason = "session_ended" | "chat_forbidden" | "chat_deleted" | "run_ended" | "refused" | "stopped";

/** What became of the line to the service. */
export type LineState =
	/** Opening it for the first time: there are no runs yet. */
	| { readonly status: "connecting" }
	/** It is open, the first runs are here, and something was heard within the last 45 seconds. */
	| { readonly status: "live" }
	| {
			/** It was lost, or could not be opened: what is shown may be as old as that. */
			readonly status: "reconnecting";
			readonly reason: LossReason;
			/** For developers: what may be wrong. */
			readonly message: string;
			/** What was thrown, if anything was. */
			readonly error: unknown;
			/** When it will be tried next, in milliseconds since the epoch; null while it is being tried, or nobody looks. */
			readonly nextTryAt: number | null;
	  }
	| {
			/** It will not be tried again. */
			readonly status: "ended";
			readonly reason: EndReason;
			readonly message: string;
			/** Null where it ended as it should. */
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
	const { reason } = JSON.parse(data) as { reason?: unknown };
	if (reason === "run_ended") return { reason, message: "The workflow run has ended", error: null };
	if (reason === "session_ended" || reason === "chat_forbidden" || reason === "chat_deleted") {
		const { code, status, message } = STREAM_ENDS[reason];
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

/** What may be wrong where `fetch` got no answer. Browsers do not tell a page which it was. */
export function describeNoAnswer(error: unknown): string {
	const { location } = globalThis as { location?: { origin: string } };
	const origins = location ? `, or the service's ALLOWED_ORIGINS does not name ${location.origin}` : "";
	const said = error instanceof Error ? ` (${error.message})` : "";
	return `No answer${said}: the network or the service is down, the address is wrong${origins}`;
}
