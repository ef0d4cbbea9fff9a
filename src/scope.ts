import type { Env } from "./env.ts";
import type { ErrorCode } from "./errors.ts";

/** One call to this service, over HTTP or RPC. A verb gets it beside its input. */
export interface Scope {
	readonly env: Env;
	/** The response's `x-request-id`; every log line of the call carries it. */
	readonly requestId: string;
	/** The host that the call came to. */
	readonly host: string;
	/** Facts for the call's log line and `Server-Timing`, filled in on the way. */
	readonly facts: Facts;
	/** Keeps the Worker alive for work after the answer, up to 30 s. */
	waitUntil(work: Promise<unknown>): void;
}

export interface Facts {
	/** A pseudonym of the user who asked, or whom an operator asked about. */
	user?: string;
	/** Which token was shown: `service` or `operator`, and its place in the list, from 1. */
	token?: string;
	/** How long KV took for the session. */
	kvMilliseconds?: number;
	/** How long D1 took, all round trips together. */
	d1Milliseconds?: number;
	/** Who wrote: the chat's hub, or the door by itself. */
	writer?: "hub" | "door";
	/** How the edge cache took part; see `CacheUse`. */
	cache?: string;
	/** The error that was answered with. */
	code?: ErrorCode;
	/** How many runs a report named, and how many of them were written: the others were known as they are. */
	runs?: number;
	written?: number;
	/** How many reports the hub committed together with it, itself included. */
	together?: number;
}

/** The user who is asking. */
export interface Session {
	readonly userId: string;
	/** When it ends for certain, in milliseconds since the epoch; undefined if only the store knows. */
	readonly endsAt?: number | undefined;
}

/**
 * Opens the scope of a call.
 * @param host the request's; a call by RPC has none
 */
export function scopeOf(
	env: Env,
	context: Pick<ExecutionContext, "waitUntil">,
	requestId: string = crypto.randomUUID(),
	host = "no-host.invalid",
): Scope {
	return { env, requestId, host, facts: {}, waitUntil: (work) => context.waitUntil(work) };
}
