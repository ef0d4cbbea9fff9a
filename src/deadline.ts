/** A store took longer than `STORE_TIMEOUT_SECONDS`. */
export class DeadlineError extends Error {
	override readonly name = "DeadlineError";
}

/**
 * Gives up waiting after `seconds`: a store that hangs must not hang its callers.
 * The work itself goes on, since Workers cannot cancel a D1 or KV request. Its result is ignored.
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
