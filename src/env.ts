/** The Worker's bindings, vars and secrets, as `wrangler.toml` and the dashboard set them. */
export interface Env {
	/** Chats and workflow runs. */
	readonly DB: D1Database;
	/** better-auth's `secondaryStorage`. */
	readonly SESSIONS: KVNamespace;
	readonly CF_VERSION_METADATA?: WorkerVersionMetadata;
	/** Secret: the one your better-auth deployment signs its session cookies with. */
	readonly BETTER_AUTH_SECRET?: string;
	/** Var: better-auth's `advanced.cookiePrefix`. */
	readonly SESSION_COOKIE_PREFIX?: string;
}

export interface Config {
	readonly sessionSecret: string;
	readonly sessionCookiePrefix: string;
}

/** better-auth's own lower bound for a secret; an HMAC-SHA256 key gains nothing beyond 64 bytes. */
const SECRET_MIN_LENGTH = 32;

/** RFC 6265 token characters, so that the prefix can start a cookie's name. */
const COOKIE_PREFIX = /^[\w!#$%&'*.^`|~+-]+$/;

/** The service is not set up. Its message names the variable and what to do, for the operator's log only. */
export class ConfigurationError extends Error {
	override readonly name = "ConfigurationError";
}

const checked = new WeakMap<Env, Config>();

/**
 * Checks the vars and secrets, once an isolate.
 * @throws {ConfigurationError} if one is missing or unusable: the request then fails closed
 */
export function readConfig(env: Env): Config {
	let config = checked.get(env);
	if (!config) {
		config = checkConfig(env);
		checked.set(env, config);
	}
	return config;
}

function checkConfig(env: Env): Config {
	const sessionSecret = env.BETTER_AUTH_SECRET ?? "";
	if (sessionSecret.length < SECRET_MIN_LENGTH) {
		throw new ConfigurationError(
			`BETTER_AUTH_SECRET is ${sessionSecret ? "too short" : "not set"}: set the secret of your better-auth deployment ` +
				`(at least ${SECRET_MIN_LENGTH} characters) with "wrangler secret put BETTER_AUTH_SECRET", or in .dev.vars`,
		);
	}
	const sessionCookiePrefix = env.SESSION_COOKIE_PREFIX ?? "better-auth";
	if (!COOKIE_PREFIX.test(sessionCookiePrefix)) {
		throw new ConfigurationError(
			'SESSION_COOKIE_PREFIX is not usable in a cookie name: set it under [vars] in wrangler.toml, e.g. "better-auth"',
		);
	}
	return { sessionSecret, sessionCookiePrefix };
}
