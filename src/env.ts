/** The Worker's bindings, vars and secrets, as `wrangler.toml` and the dashboard set them. */
export interface Env {
	/** Chats and workflow runs. */
	readonly DB: D1Database;
	/** The hubs of the chats, by chat id. Unbound, or failing: doors write by themselves, and streams look once a minute. */
	readonly HUB?: DurableObjectNamespace;
	/** better-auth's `secondaryStorage`. */
	readonly SESSIONS: KVNamespace;
	/** A dataset of Workers Analytics Engine, for data points; see `metrics.ts`. Unbound: none are written. */
	readonly METRICS?: AnalyticsEngineDataset;
	readonly CF_VERSION_METADATA?: WorkerVersionMetadata;
	/** The static assets: the pages' script and style, and the OpenAPI document. */
	readonly ASSETS?: Fetcher;
	/** Secret: your better-auth deployment signs its session cookies with it; several separated by commas, while it changes. */
	readonly BETTER_AUTH_SECRET?: string;
	/** Secret: the service tokens that may record runs, separated by commas. Unset: nobody may. */
	readonly RECORDER_TOKENS?: string;
	/** Secret: the operator tokens that may look at, export and erase anybody's data, separated by commas. Unset: nobody may. */
	readonly OPERATOR_TOKENS?: string;
	/** Secret: signs the read tokens of apps with another sign-in; several separated by commas. Unset: cookies only. */
	readonly READ_TOKEN_SECRET?: string;
	/** Rate limiters: of reads by user, of writes and operators by token, of bad cookies and tokens by address. Unbound: no limit. */
	readonly READ_LIMIT?: RateLimit;
	readonly WRITE_LIMIT?: RateLimit;
	readonly OPERATOR_LIMIT?: RateLimit;
	readonly SIGN_IN_LIMIT?: RateLimit;
	/** Var: the origins whose pages may read with their user's cookie, separated by commas. */
	readonly ALLOWED_ORIGINS?: string;
	/** Var: "false" to serve sessions that better-auth revoked by time while their key is still there. */
	readonly CHECK_REVOKED_BEFORE?: string | boolean;
	/** Var: runs are deleted this number of days after the last that was told of them, their end as a rule. Unset: never. */
	readonly RETENTION_DAYS?: string | number;
	/** Var: chats are purged this number of days after their deletion or erasure. */
	readonly PURGE_DAYS?: string | number;
	/** Var: runs without news for this number of hours are given up: failed, until there is news. Unset: never. */
	readonly GIVE_UP_HOURS?: string | number;
	/** Var: what all runs of a chat may take, in bytes. */
	readonly MAX_HISTORY_BYTES?: string | number;
	/** Var: what happens to a report if the history is full: it is refused, or the oldest finished runs are dropped. */
	readonly HISTORY_FULL?: string;
	/** Var: better-auth's `advanced.cookiePrefix`. */
	readonly SESSION_COOKIE_PREFIX?: string;
	/** Var: how long a cached history is served without asking D1. 0: always ask. */
	readonly FRESH_SECONDS?: string | number;
	/** Var: how old a cached history may be that is served while D1 fails. */
	readonly STALE_IF_ERROR_SECONDS?: string | number;
	/** Var: how long KV and D1 may take to answer a read. */
	readonly STORE_TIMEOUT_SECONDS?: string | number;
}

export interface Config {
	/** Any of them may have signed a session cookie. */
	readonly sessionSecrets: readonly [string, ...string[]];
	readonly sessionCookiePrefix: string;
	readonly recorderTokens: readonly string[];
	readonly operatorTokens: readonly string[];
	readonly readTokenSecrets: readonly string[];
	readonly allowedOrigins: readonly string[];
	readonly checkRevokedBefore: boolean;
	/** null: keep all. */
	readonly retentionDays: number | null;
	readonly purgeDays: number;
	/** null: no run is given up. */
	readonly giveUpHours: number | null;
	readonly maxHistoryBytes: number;
	/** Whether a full history makes room by dropping the oldest finished runs. */
	readonly dropsOldest: boolean;
	readonly freshSeconds: number;
	readonly staleIfErrorSeconds: number;
	readonly storeTimeoutSeconds: number;
}

/** The lower bound that better-auth sets for a secret. An HMAC-SHA256 key gains nothing beyond 64 bytes. */
const SECRET_MIN_LENGTH = 32;

/** RFC 6265 token characters, so that the prefix can start a cookie's name. */
const COOKIE_PREFIX = /^[\w!#$%&'*.^`|~+-]+$/;

/** A bearer token as RFC 6750, 2.1 spells it (`b64token`), so that it survives an `Authorization` header. */
const BEARER_TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;

/** The service is not set up. The message names the variable and says what to do. It is for the operator's log only. */
export class ConfigurationError extends Error {
	override readonly name = "ConfigurationError";
}

const checked = new WeakMap<Env, Config>();

/**
 * Checks the vars and secrets, once per isolate.
 * @throws {ConfigurationError} if one is missing or unusable: the request then fails closed
 */
export function readConfig(env: Env): Config {
	let config = checked.get(env);
	if (!config) {
		config = {
			sessionSecrets: sessionSecrets(env.BETTER_AUTH_SECRET),
			sessionCookiePrefix: sessionCookiePrefix(env.SESSION_COOKIE_PREFIX),
			recorderTokens: tokens(env, "RECORDER_TOKENS"),
			operatorTokens: operatorTokens(env),
			readTokenSecrets: readTokenSecrets(env.READ_TOKEN_SECRET),
			allowedOrigins: allowedOrigins(env.ALLOWED_ORIGINS),
			checkRevokedBefore: checkRevokedBefore(env.CHECK_REVOKED_BEFORE),
			retentionDays: number(env, "RETENTION_DAYS", null, { min: 1, max: 36_500 }),
			purgeDays: number(env, "PURGE_DAYS", 30, { min: 1, max: 36_500 }),
			giveUpHours: number(env, "GIVE_UP_HOURS", null, { min: 1, max: 8_760 }),
			// An isolate has 128 MB, and building the list takes about twice its size.
			maxHistoryBytes: number(env, "MAX_HISTORY_BYTES", 24_000_000, { min: 1_000_000, max: 48_000_000 }),
			dropsOldest: dropsOldest(env.HISTORY_FULL),
			freshSeconds: number(env, "FRESH_SECONDS", 1, { min: 0, max: 60 }),
			staleIfErrorSeconds: number(env, "STALE_IF_ERROR_SECONDS", 3600, { min: 0, max: 86_400 }),
			storeTimeoutSeconds: number(env, "STORE_TIMEOUT_SECONDS", 5, { min: 0.1, max: 25 }),
		};
		checked.set(env, config);
	}
	return config;
}

/** A secret that has a comma in it is still one: the value as a whole counts, too. */
function sessionSecrets(value = ""): readonly [string, ...string[]] {
	const parts = commaSeparated(value).filter((part) => part.length >= SECRET_MIN_LENGTH);
	const [first = value, ...others] = new Set([...parts, value]);
	if (value.length >= SECRET_MIN_LENGTH) return [first, ...others];
	throw new ConfigurationError(
		`BETTER_AUTH_SECRET is ${value ? "too short" : "not set"}: set the secret of your better-auth deployment ` +
			`(at least ${SECRET_MIN_LENGTH} characters) with "wrangler secret put BETTER_AUTH_SECRET", or in .dev.vars`,
	);
}

/** The name of better-auth's cookie begins with it. @throws {ConfigurationError} */
export function sessionCookiePrefix(value = "better-auth"): string {
	if (COOKIE_PREFIX.test(value)) return value;
	throw new ConfigurationError(
		'SESSION_COOKIE_PREFIX is not usable in a cookie name: set it under [vars] in wrangler.toml, e.g. "better-auth"',
	);
}

function tokens(env: Env, name: "RECORDER_TOKENS" | "OPERATOR_TOKENS"): readonly string[] {
	const tokens = commaSeparated(env[name] ?? "");
	const bad = tokens.findIndex((token) => token.length < SECRET_MIN_LENGTH || !BEARER_TOKEN.test(token));
	if (bad === -1) return tokens;
	throw new ConfigurationError(
		`${name}: token ${bad + 1} is ${BEARER_TOKEN.test(tokens[bad] as string) ? "too short" : "not a bearer token"}: ` +
			`each takes at least ${SECRET_MIN_LENGTH} of the characters A-Z a-z 0-9 - . _ ~ + / (try "openssl rand -hex 32")`,
	);
}

/** A token that is in both lists would let an engine erase a person's data. */
function operatorTokens(env: Env): readonly string[] {
	const both = tokens(env, "OPERATOR_TOKENS");
	const shared = both.findIndex((token) => tokens(env, "RECORDER_TOKENS").includes(token));
	if (shared === -1) return both;
	throw new ConfigurationError(`OPERATOR_TOKENS: token ${shared + 1} is one of RECORDER_TOKENS, too: make another one`);
}

function readTokenSecrets(value = ""): readonly string[] {
	const secrets = commaSeparated(value);
	const short = secrets.findIndex((secret) => secret.length < SECRET_MIN_LENGTH);
	if (short === -1) return secrets;
	throw new ConfigurationError(
		`READ_TOKEN_SECRET: secret ${short + 1} is too short: each has at least ${SECRET_MIN_LENGTH} characters, and no comma ` +
			'(try "openssl rand -hex 32")',
	);
}

function allowedOrigins(value = ""): readonly string[] {
	return commaSeparated(value).map((origin) => {
		// URL takes an asterisk as a host name, which no page has.
		if (URL.canParse(origin) && new URL(origin).origin === origin && !origin.includes("*")) return origin;
		throw new ConfigurationError(
			`ALLOWED_ORIGINS: "${origin}" is not an origin: scheme and host alone, e.g. "https://app.example.com"`,
		);
	});
}

/** On unless it is switched off. Anything but "true" and "false" is an error: somebody who wrote "no" believes that it is off. */
function checkRevokedBefore(value: string | boolean = ""): boolean {
	const text = String(value);
	if (text === "true" || text === "") return true;
	if (text === "false") return false;
	throw new ConfigurationError('CHECK_REVOKED_BEFORE is neither "true" nor "false": correct it in wrangler.toml');
}

function dropsOldest(value = ""): boolean {
	if (value === "drop-oldest") return true;
	if (value === "refuse" || value === "") return false;
	throw new ConfigurationError('HISTORY_FULL is neither "refuse" nor "drop-oldest": correct it in wrangler.toml');
}

function commaSeparated(value: string): string[] {
	return value
		.split(",")
		.map((item) => item.trim())
		.filter((item) => item !== "");
}

type NumberVar =
	| "FRESH_SECONDS"
	| "STALE_IF_ERROR_SECONDS"
	| "STORE_TIMEOUT_SECONDS"
	| "RETENTION_DAYS"
	| "PURGE_DAYS"
	| "GIVE_UP_HOURS"
	| "MAX_HISTORY_BYTES";

function number<T>(env: Env, name: NumberVar, unset: T, { min, max }: { min: number; max: number }): number | T {
	const value = env[name];
	if (value === undefined || value === "") return unset;
	const number = Number(value);
	if (number >= min && number <= max) return number;
	throw new ConfigurationError(`${name} is not a number from ${min} to ${max}: correct it in wrangler.toml`);
}
