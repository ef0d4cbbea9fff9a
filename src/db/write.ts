import { type SQL, sql } from "drizzle-orm";
import { DeadlineError, withDeadline } from "../deadline.ts";
import { readConfig } from "../env.ts";
import { ServiceError } from "../errors.ts";
import type { Scope } from "../scope.ts";

/** The rows that a write built on have changed in the meantime. The write must begin again. */
export class ConflictError extends Error {
	override readonly name = "ConflictError";
}

/** D1 reached a write after its time was up, and did not do it. */
export class LateError extends Error {
	override readonly name = "LateError";

	constructor() {
		super("D1 came to the write after its time was up");
	}
}

/** The share of a write's time that D1 gets. The rest is for differences between its clock and ours. */
const SHARE_OF_TIME = 0.9;

/**
 * A condition that is true in D1 only while the caller still waits. For writes whose order counts (a deletion and its
 * opposite). The caller gives up after `STORE_TIMEOUT_SECONDS`, but nothing can cancel the write. D1 may reach it later,
 * after somebody has done the opposite.
 */
export function inTime({ env }: Scope): SQL {
	const until = Date.now() + readConfig(env).storeTimeoutSeconds * SHARE_OF_TIME * 1_000;
	return sql`unixepoch('subsec') * 1000 < ${until}`;
}

/** Failures after which an idempotent write may be sent again. After an overload or a time-out it may not. */
const LOST = /Network connection lost|storage caused object to be reset|reset because its code was updated/i;

/** The pause doubles with each try that D1 loses: at most 50, 100, 200 ms. */
const LOST_TRIES = 4;
const LOST_BASE_MILLISECONDS = 50;

/** One writer wins each round. So many writers of one run need many rounds, not long pauses. */
const CONFLICT_TRIES = 60;
const CONFLICT_BASE_MILLISECONDS = 5;
const CONFLICT_MAX_MILLISECONDS = 200;

export interface Written<T> {
	readonly result: T;
	/** A read with this bookmark sees the write. */
	readonly bookmark: string | null;
}

/**
 * Runs an idempotent write at the primary, and again if D1 lost it or another writer came in between.
 * @param write first reads the rows that it builds on, then ends in one batch, so that all is written or nothing
 * @throws {ServiceError} STORE_UNAVAILABLE if D1 still fails; the caller may send the same again
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

/** What Workers say when there are no more subrequests, as D1's binding passes it on. */
const OUT_OF_SUBREQUESTS = /too many (subrequests|API requests)/i;

/** Overloaded, hanging, or out of reach: not to be asked again at once. */
const DOWN = /overloaded|exceeded timeout|Network connection lost/i;

/** Whether an error or one of its causes says so. Drizzle wraps D1's errors. */
function says(error: unknown, what: RegExp): boolean {
	return error instanceof Error && (what.test(error.message) || says(error.cause, what));
}

/** Whether a call of D1 failed since the plan allows this invocation no more of them. */
export const isOutOfSubrequests = (error: unknown) => says(error, OUT_OF_SUBREQUESTS);

/** Whether it is D1 as a whole that failed a write, or other writers, rather than what was to be written. */
export function isStoreDown(cause: unknown): boolean {
	if (cause instanceof DeadlineError || cause instanceof ConflictError) return true;
	return says(cause, DOWN) || isLost(cause) || isOutOfSubrequests(cause);
}

const isLost = (error: unknown) => says(error, LOST);

/** Full jitter, so that writers that failed together do not come back together. */
function pause(maxMilliseconds: number): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, Math.random() * maxMilliseconds));
}
