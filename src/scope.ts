import type { Env } from "./env.ts";

/** One call to this service, over HTTP or RPC: what its verbs need beside their input. */
export interface Scope {
	readonly env: Env;
	/** The response's `x-request-id`; every log line of the call carries it. */
	readonly requestId: string;
	/** What the call's log line and `Server-Timing` say of it, filled in on the way. */
	readonly facts: Facts;
	/** Keeps the Worker alive for work behind the answer, up to 30 s. */
	waitUntil(work: Promise<unknown>): void;
}

export interface Facts {
	/** Who asked, by a pseudonym. */
	user?: string;
	/** How long KV took for the session. */
	kvMilliseconds?: number;
	/** How long D1 took, all round trips together. */
	d1Milliseconds?: number;
	/** How the edge cache took part; see `CacheUse`. */
	cache?: string;
}

/** Who is asking. */
export interface Session {
	readonly userId: string;
}

/** Opens the scope of a call. */
export function scopeOf(
	env: Env,
	context: Pick<ExecutionContext, "waitUntil">,
	requestId: string = crypto.randomUUID(),
): Scope {
	return { env, requestId, facts: {}, waitUntil: (work) => context.waitUntil(work) };
}
