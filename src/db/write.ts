import { withDeadline } from "../deadline.ts";
import { readConfig } from "../env.ts";
import { ServiceError } from "../errors.ts";
import type { Scope } from "../scope.ts";

/** What was read has changed meanwhile: a write that built on it must begin again. */
export class ConflictError extends Error {
	override readonly name = "ConflictError";
}

/** Failures after which an idempotent write is safe to send again. Overload and time-outs are not among them. */
const LOST = /Network connection lost|storage caused object to be reset|reset because its code was updated/i;

/** Each try that D1 loses waits twice as long: at most 50, 100, 200 ms. */
const LOST_TRIES = 4;
const LOST_BASE_MILLISECONDS = 50;

/** Someone wins every round, so that many writers of one run need many rounds, not long ones. */
const CONFLICT_TRIES = 60;
const CONFLICT_BASE_MILLISECONDS = 5;
const CONFLICT_MAX_MILLISECONDS = 200;

export interface Written<T> {
	readonly result: T;
	/** The bookmark from which a reader sees what was written. */
	readonly bookmark: string | null;
}

/**
 * Runs an idempotent write at the primary, and again if D1 lost it or another writer came between.
 * @param write reads what it builds on within the session, and ends in one batch, so that all is written or nothing
 * @throws {ServiceError} STORE_UNAVAILABLE if D1 fails all the same; the caller may send the same again
 */
export async function writeD1<T>(
	{ env, facts }: Scope,
	write: (session: D1DatabaseSession) => Promise<T>,
): Promise<Written<T>> {
	const { storeTimeoutSeconds } = readConfig(env);
	const start = Date.now();
	let lost = 0;
	let conflicts = 0;
	try {
		for (;;) {
			const session = env.DB.withSession("first-primary");
			try {
				const result = await withDeadline(write(session), storeTimeoutSeconds);
				return { result, bookmark: session.getBookmark() };
			} catch (error) {
				if (error instanceof ServiceError) throw error;
				if (error instanceof ConflictError && ++conflicts < CONFLICT_TRIES) {
					await pause(Math.min(CONFLICT_BASE_MILLISECONDS * 2 ** conflicts, CONFLICT_MAX_MILLISECONDS));
				} else if (isLost(error) && ++lost < LOST_TRIES) {
					await pause(LOST_BASE_MILLISECONDS * 2 ** (lost - 1));
				} else {
					throw new ServiceError("STORE_UNAVAILABLE", undefined, { cause: error });
				}
			}
		}
	} finally {
		facts.d1Milliseconds = Date.now() - start;
	}
}

function isLost(error: unknown): boolean {
	return error instanceof Error && (LOST.test(error.message) || isLost(error.cause));
}

/** Full jitter: writers that failed together do not come back together. */
function pause(maxMilliseconds: number): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, Math.random() * maxMilliseconds));
}
