import { DeadlineError, withDeadline } from "../deadline.ts";
import { readConfig } from "../env.ts";
import { ServiceError } from "../errors.ts";
import type { Scope } from "../scope.ts";
import { PRIMARY } from "./bookmark.ts";

/** The result of a read of D1. */
export interface ReadResult<T> {
	readonly found: T;
	/** D1's own bookmark. A later read with it sees at least as much. Null if D1 gave no bookmark. */
	readonly bookmark: string | null;
}

/** Failures after which D1 is not asked again: it has too much to do already. */
const OVERLOADED = /overloaded|exceeded (timeout|its CPU time limit|its memory limit)/i;

/**
 * Reads from the nearest replica that is as new as `from`.
 * @param from a bookmark that D1 itself gave, never a caller's: D1 waits for one that was invented. Null: any replica
 *   is new enough. Or `PRIMARY`
 * @throws {ServiceError} STORE_UNAVAILABLE if D1 fails, or takes longer than `STORE_TIMEOUT_SECONDS`
 */
export async function askD1<T>(
	scope: Scope,
	from: string | null,
	read: (session: D1DatabaseSession) => Promise<T>,
): Promise<ReadResult<T>> {
	const { env, facts } = scope;
	const { storeTimeoutSeconds } = readConfig(env);
	const start = Date.now();
	const ask = async (constraint: string) => {
		const session = env.DB.withSession(constraint);
		const found = await withDeadline(read(session), storeTimeoutSeconds, scope);
		return { found, bookmark: session.getBookmark() };
	};
	try {
		return await ask(from ?? "first-unconstrained").catch((error: unknown) => {
			// A database that took another's place does not know the other's bookmarks. The primary needs none.
			if (from === null || from === PRIMARY || isTooMuch(error)) throw error;
			return ask(PRIMARY);
		});
	} catch (cause) {
		throw new ServiceError("STORE_UNAVAILABLE", undefined, { cause });
	} finally {
		facts.d1Milliseconds = (facts.d1Milliseconds ?? 0) + Date.now() - start;
	}
}

/** Drizzle wraps D1's errors. */
function isTooMuch(error: unknown): boolean {
	if (!(error instanceof Error)) return false;
	return error instanceof DeadlineError || OVERLOADED.test(error.message) || isTooMuch(error.cause);
}
