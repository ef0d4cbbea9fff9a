import { type Env, readConfig } from "../env.ts";
import type { SettingsLook } from "./schemas.ts";

type Secret = "BETTER_AUTH_SECRET" | "RECORDER_TOKENS" | "OPERATOR_TOKENS" | "READ_TOKEN_SECRET";
type Var = Exclude<
	{ [K in keyof Env]-?: NonNullable<Env[K]> extends string | number | boolean ? K : never }[keyof Env],
	Secret
>;
/** Bindings that the service can do without. */
type Optional = Exclude<keyof Env, Var | Secret | "DB" | "SESSIONS">;

/**
 * The settings that count, by their names in `Env`: whoever adds one there must say here how it shows, or it does not
 * compile. Of a secret only the number is told.
 * @throws {ConfigurationError}
 */
export function readSettings(env: Env): SettingsLook {
	const config = readConfig(env);
	const isBound = (name: Optional) => env[name] !== undefined;
	return {
		vars: {
			SESSION_COOKIE_PREFIX: config.sessionCookiePrefix,
			ALLOWED_ORIGINS: config.allowedOrigins.join(),
			CHECK_REVOKED_BEFORE: config.checkRevokedBefore,
			RETENTION_DAYS: config.retentionDays,
			PURGE_DAYS: config.purgeDays,
			GIVE_UP_HOURS: config.giveUpHours,
			MAX_HISTORY_BYTES: config.maxHistoryBytes,
			HISTORY_FULL: config.dropsOldest ? "drop-oldest" : "refuse",
			FRESH_SECONDS: config.freshSeconds,
			STALE_IF_ERROR_SECONDS: config.staleIfErrorSeconds,
			STORE_TIMEOUT_SECONDS: config.storeTimeoutSeconds,
		} satisfies Record<Var, unknown>,
		secrets: {
			// With several, their list as a whole is tried, too: it might be one.
			BETTER_AUTH_SECRET: config.sessionSecrets.filter((each) => !each.includes(",")).length || 1,
			RECORDER_TOKENS: config.recorderTokens.length,
			OPERATOR_TOKENS: config.operatorTokens.length,
			READ_TOKEN_SECRET: config.readTokenSecrets.length,
		} satisfies Record<Secret, number>,
		bindings: {
			HUB: isBound("HUB"),
			ASSETS: isBound("ASSETS"),
			METRICS: isBound("METRICS"),
			CF_VERSION_METADATA: isBound("CF_VERSION_METADATA"),
			READ_LIMIT: isBound("READ_LIMIT"),
			WRITE_LIMIT: isBound("WRITE_LIMIT"),
			OPERATOR_LIMIT: isBound("OPERATOR_LIMIT"),
			SIGN_IN_LIMIT: isBound("SIGN_IN_LIMIT"),
		} satisfies Record<Optional, boolean>,
	};
}
