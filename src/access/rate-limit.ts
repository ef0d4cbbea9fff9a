import type { Context } from "hono";
import { withDeadline } from "../deadline.ts";
import { type Env, readConfig } from "../env.ts";
import { ServiceError } from "../errors.ts";
import type { AppEnv } from "../http/app-env.ts";
import { logError, logInfo } from "../log.ts";
import type { Scope } from "../scope.ts";

/** The rate limiting bindings of `wrangler.toml`. */
type Limiter = Extract<keyof Env, `${string}_LIMIT`>;

/**
 * Counts a call against a limit. A limiter that is not bound limits nothing. One that fails or hangs lets the call pass:
 * it protects the stores, and its failure must not become an outage.
 * @param key the caller that is counted; never a cookie or a token
 * @throws {ServiceError} RATE_LIMITED
 */
export async function countAgainst(limiter: Limiter, key: string, scope: Scope): Promise<void> {
	const { env } = scope;
	const binding = env[limiter];
	if (!binding) return sayThatItIsOff(limiter, scope);
	let success = true;
	try {
		({ success } = await withDeadline(binding.limit({ key }), readConfig(env).storeTimeoutSeconds));
	} catch (error) {
		logError(scope, { event: "rate limit", limiter }, error);
	}
	if (!success) throw new ServiceError("RATE_LIMITED");
}

/** The limiters that are known to be off, by the isolate's bindings. */
const off = new WeakMap<Env, Set<Limiter>>();

/** Once in an isolate, and to the log alone: strangers need not know what is unlimited. */
function sayThatItIsOff(limiter: Limiter, scope: Scope): void {
	const known = off.get(scope.env) ?? new Set();
	off.set(scope.env, known);
	if (known.has(limiter)) return;
	known.add(limiter);
	logInfo(scope, { event: "no limit", limiter });
}

/**
 * Refuses a bad cookie or token, and counts it by address, so that guessing is slow. A request without one is not
 * counted: it only comes from somebody who is not signed in.
 * @throws {ServiceError} `refusal`, or RATE_LIMITED
 */
export async function refuseSignIn(
	c: Context<AppEnv>,
	refusal: ServiceError,
	sent: string | undefined,
): Promise<never> {
	if (sent) await countAgainst("SIGN_IN_LIMIT", networkOf(c.req.header("cf-connecting-ip") ?? "unknown"), c.var.scope);
	throw refusal;
}

/**
 * What failed sign-ins are counted by: an IPv4 address, or the /64 of an IPv6 one. A single host is commonly given all
 * of a /64 (RFC 6177), and would have a fresh address for each guess.
 */
export function networkOf(address: string): string {
	const [, mapped] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address) ?? [];
	if (mapped !== undefined) return mapped;
	if (!address.includes(":")) return address;
	const [head = "", tail] = address.toLowerCase().split("::");
	const groups = head === "" ? [] : head.split(":");
	if (tail !== undefined) {
		const behind = tail === "" ? [] : tail.split(":");
		// An IPv4 address at the end stands for two groups (RFC 4291, 2.2).
		const length = behind.length + (behind.at(-1)?.includes(".") ? 1 : 0);
		while (groups.length + length < 8) groups.push("0");
		groups.push(...behind);
	}
	return `${groups
		.slice(0, 4)
		.map((group) => group.replace(/^0+(?=.)/, ""))
		.join(":")}::/64`;
}
