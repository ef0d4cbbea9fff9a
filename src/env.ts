import {
	allowedOrigins,
	checkRevokedBefore,
	dropsOldest,
	number,
	operatorTokens,
	readTokenSecrets,
	sessionCookiePrefix,
	sessionSecrets,
	tokens,
} from "./env-values.ts";

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
			recorderTokens: tokens("RECORDER_TOKENS", env.RECORDER_TOKENS),
			operatorTokens: operatorTokens(env.OPERATOR_TOKENS, env.RECORDER_TOKENS),
			readTokenSecrets: readTokenSecrets(env.READ_TOKEN_SECRET),
			allowedOrigins: allowedOrigins(env.ALLOWED_ORIGINS),
			checkRevokedBefore: checkRevokedBefore(env.CHECK_REVOKED_BEFORE),
			retentionDays: number("RETENTION_DAYS", env.RETENTION_DAYS, null, { min: 1, max: 36_500 }),
			purgeDays: number("PURGE_DAYS", env.PURGE_DAYS, 30, { min: 1, max: 36_500 }),
			giveUpHours: number("GIVE_UP_HOURS", env.GIVE_UP_HOURS, null, { min: 1, max: 8_760 }),
			// An isolate has 128 MB, and building the list takes about twice its size.
			maxHistoryBytes: number("MAX_HISTORY_BYTES", env.MAX_HISTORY_BYTES, 24_000_000, {
				min: 1_000_000,
				max: 48_000_000,
			}),
			dropsOldest: dropsOldest(env.HISTORY_FULL),
			freshSeconds: number("FRESH_SECONDS", env.FRESH_SECONDS, 1, { min: 0, max: 60 }),
			staleIfErrorSeconds: number("STALE_IF_ERROR_SECONDS", env.STALE_IF_ERROR_SECONDS, 3600, { min: 0, max: 86_400 }),
			storeTimeoutSeconds: number("STORE_TIMEOUT_SECONDS", env.STORE_TIMEOUT_SECONDS, 5, { min: 0.1, max: 25 }),
		};
		checked.set(env, config);
	}
	return config;
}
