/** The waiting times of a follower, in milliseconds. */
export const TIMES = {
	/** The service sends a comment every 15 s: a line that is silent for three of them is dead. */
	silence: 45_000,
	/** The first wait before a line is tried again; it doubles, up to `maxWait`. */
	wait: 1_000,
	maxWait: 30_000,
	/** A line that lasted for this long was good. After it, the first wait is short again. */
	steady: 10_000,
	/** The longest wait that a server may ask for. */
	maxRetryAfter: 600_000,
};

export type Times = typeof TIMES;

/**
 * How long to wait before the next try.
 * @param failures how many lines in a row were not opened, or were lost soon
 * @param retryAfter the wait that the service asked for, in seconds
 * @returns `atLeast`: the wait that nothing can shorten
 */
export function waitBefore(failures: number, retryAfter: number | null, times: Times) {
	const atLeast = Math.min((retryAfter ?? 0) * 1000, times.maxRetryAfter);
	const backoff = Math.min(times.wait * 2 ** (failures - 1), times.maxWait);
	// With jitter, so that clients which lost their lines together do not come back together.
	return { atLeast, milliseconds: Math.max(atLeast, backoff / 2) + (Math.random() * backoff) / 2 };
}
