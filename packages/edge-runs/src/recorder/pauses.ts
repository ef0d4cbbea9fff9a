import { Refusal } from "./errors.ts";

const MAX_BACKOFF_MILLISECONDS = 30_000;
/** A service that asks for more, or a proxy's mistake, does not silence a recorder for longer. */
const MAX_RETRY_AFTER_MILLISECONDS = 60_000;
const UNAUTHORIZED_MILLISECONDS = 60_000;

export interface Pause {
	readonly milliseconds: number;
	/** Whether the service asked for it: a flush does not cut it short. */
	readonly isAsked: boolean;
	/** Whether nothing at all is to be sent meanwhile, rather than nothing of this chat. */
	readonly isForAll: boolean;
}

/**
 * How long to wait after a failure: exponential, with jitter, so that recorders which lost the service together do not
 * come back together.
 * @param failures how many there were in a row, with this one
 * @param random from 0 to 1
 */
export function pauseAfter(error: unknown, failures: number, baseMilliseconds: number, random: number): Pause {
	const backoff = Math.min(baseMilliseconds * 2 ** (failures - 1), MAX_BACKOFF_MILLISECONDS);
	const jittered = backoff / 2 + (random * backoff) / 2;
	const code = error instanceof Refusal ? error.code : null;
	if (code === "INVALID_TOKEN") return { milliseconds: UNAUTHORIZED_MILLISECONDS, isAsked: true, isForAll: true };
	const asked = error instanceof Refusal ? error.retryAfterMilliseconds : null;
	if (asked === null) return { milliseconds: jittered, isAsked: false, isForAll: false };
	const milliseconds = Math.min(asked, MAX_RETRY_AFTER_MILLISECONDS) + jittered;
	// Writes are counted by token, which all chats share.
	return { milliseconds, isAsked: true, isForAll: code === "RATE_LIMITED" };
}
