/** A store took longer than `STORE_TIMEOUT_SECONDS`. */
export class DeadlineError extends Error {
	override readonly name = "DeadlineError";
}

/**
 * Gives up waiting after `seconds`: a store that hangs must not hang its callers.
 * The work itself goes on, as nothing on Workers can call a D1 or KV request back; what it ends in is ignored.
 * @throws {DeadlineError} when the time is up
 */
export async function withDeadline<T>(work: PromiseLike<T>, seconds: number): Promise<T> {
	const { promise: timeUp, reject } = Promise.withResolvers<never>();
	const timer = setTimeout(() => reject(new DeadlineError(`no answer within ${seconds} s`)), seconds * 1000);
	try {
		return await Promise.race([work, timeUp]);
	} finally {
		clearTimeout(timer);
	}
}
