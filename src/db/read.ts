import { DeadlineError, withDeadline } from "../deadline.ts";
import { readConfig } from "../env.ts";
import { ServiceError } from "../errors.ts";
import type { Scope } from "../scope.ts";

/** The result of a read of D1. */
export interface ReadResult<T> {
	readonly found: T;
	/** A later read with this bookmark sees at least as much. Null if D1 gave no bookmark. */
	readonly bookmark: string | null;
}

/**
 * Reads from the nearest replica that is as new as `bookmark`.
 * @param bookmark null: any replica is new enough
 * @throws {ServiceError} STORE_UNAVAILABLE if D1 fails, or takes longer than `STORE_TIMEOUT_SECONDS`
 */
export async function askD1<T>(
	{ env, facts }: Scope,
	bookmark: string | null,
	read: (session: D1DatabaseSession) => Promise<T>,
): Promise<ReadResult<T>> {
	const { storeTimeoutSeconds } = readConfig(env);
	const start = Date.now();
	const ask = async (from: string) => {
		const session = env.DB.withSession(from);
		const found = await withDeadline(read(session), storeTimeoutSeconds);
		return { found, bookmark: session.getBookmark() };
	};
	try {
		return await ask(bookmark ?? "first-unconstrained").catch((error: unknown) => {
			// A caller's bookmark may name a state that never existed. The primary has every state.
			if (bookmark === null || error instanceof DeadlineError) throw error;
			return ask("first-primary");
		});
	} catch (cause) {
		throw new ServiceError("STORE_UNAVAILABLE", undefined, { cause });
	} finally {
		facts.d1Milliseconds = (facts.d1Milliseconds ?? 0) + Date.now() - start;
	}
}
