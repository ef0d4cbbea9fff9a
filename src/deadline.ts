/** A store took longer than `STORE_TIMEOUT_SECONDS`. */
export class DeadlineError extends Error {
	override readonly name = "DeadlineError";
}

interface Timer {
	/** When it was started, in milliseconds since the epoch, and how long it runs. */
	readonly startedAt: number;
	readonly seconds: number;
	/** Rejects when the time is up. */
	readonly timeUp: Promise<never>;
	readonly stop: () => void;
	/** How many wait with it. */
	waiting: number;
}

/** A call asks several stores. They share a timer: setting and clearing one takes as long as the call itself. */
const shared = new WeakMap<object, Timer>();

/** What begins within this share of a timer's time waits with it, and so is given that much less at the most. */
const SHARE_OF_TIME = 0.02;

/**
 * Gives up waiting after `seconds`: a store that hangs must not hang its callers.
 * The work itself goes on, since Workers cannot cancel a D1 or KV request. Its result is ignored.
 * @param scope the call that waits, if it may ask several stores
 * @throws {DeadlineError} when the time is up
 */
export async function withDeadline<T>(work: PromiseLike<T>, seconds: number, scope?: object): Promise<T> {
	const now = Date.now();
	let timer = scope && shared.get(scope);
	if (timer?.seconds !== seconds || now - timer.startedAt > seconds * 1000 * SHARE_OF_TIME) {
		timer = startTimer(now, seconds);
		if (scope) shared.set(scope, timer);
	}
	timer.waiting += 1;
	try {
		return await Promise.race([work, timer.timeUp]);
	} finally {
		timer.waiting -= 1;
		if (timer.waiting === 0) {
			timer.stop();
			if (scope && shared.get(scope) === timer) shared.delete(scope);
		}
	}
}

function startTimer(startedAt: number, seconds: number): Timer {
	const { promise: timeUp, reject } = Promise.withResolvers<never>();
	const timeout = setTimeout(() => reject(new DeadlineError(`no answer within ${seconds} s`)), seconds * 1000);
	return { startedAt, seconds, timeUp, stop: () => clearTimeout(timeout), waiting: 0 };
}
