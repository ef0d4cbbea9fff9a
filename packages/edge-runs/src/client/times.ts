/** How long a follower waits for what, in milliseconds. */
export const TIMES = {
	/** The service sends a comment every 15 s: a line that is silent for three of them is dead. */
	silence: 45_000,
	/** The first wait before a line is tried again; it doubles, up to `maxWait`. */
	wait: 1_000,
	maxWait: 30_000,
	/** A line that lived for this long was good: after it, waits begin anew. */
	steady: 10_000,
	/** No server is believed that it will take longer than this. */
	maxRetryAfter: 600_000,
};

export type Times = typeof TIMES;

/**
 * How long to wait before the next try.
 * @param failures how many lines in a row were not opened, or were lost soon
 * @param retryAfter what the service asked for, in seconds
 * @returns `atLeast`: what even somebody in a hurry waits
 */
export function waitBefore(failures: number, retryAfter: number | null, times: Times) {
	const atLeast = Math.min((retryAfter ?? 0) * 1000, times.maxRetryAfter);
	const backoff = Math.min(times.wait * 2 ** (failures - 1), times.maxWait);
	// With jitter, so that clients which lost their lines together do not come back together.
	return { atLeast, milliseconds: Math.max(atLeast, backoff / 2) + (Math.random() * backoff) / 2 };
}
