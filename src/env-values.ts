/*
 * What the vars and secrets may be. Each takes the text that is set, and throws a `ConfigurationError` if it is unusable.
 */

/** The lower bound that better-auth sets for a secret. An HMAC-SHA256 key gains nothing beyond 64 bytes. */
const SECRET_MIN_LENGTH = 32;

/** RFC 6265 token characters, so that the prefix can start a cookie's name. */
const COOKIE_PREFIX = /^[\w!#$%&'*.^`|~+-]+$/;

/** A bearer token as RFC 6750, 2.1 spells it (`b64token`), so that it survives an `Authorization` header. */
export const BEARER_TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;

/** The service is not set up. The message names the variable and says what to do. It is for the operator's log only. */
export class ConfigurationError extends Error {
	override readonly name = "ConfigurationError";
}

/** A secret that has a comma in it is still one: the value as a whole counts, too. */
export function sessionSecrets(value = ""): readonly [string, ...string[]] {
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
	// A boolean of TOML's would be tested as the text that it is printed as, and log everybody out.
	if (typeof value === "string" && COOKIE_PREFIX.test(value)) return value;
	throw new ConfigurationError(
		'SESSION_COOKIE_PREFIX is not usable in a cookie name: set it under [vars] in wrangler.toml, e.g. "better-auth"',
	);
}

export function tokens(name: "RECORDER_TOKENS" | "OPERATOR_TOKENS", value = ""): readonly string[] {
	const tokens = commaSeparated(value);
	const bad = tokens.findIndex((token) => token.length < SECRET_MIN_LENGTH || !BEARER_TOKEN.test(token));
	if (bad === -1) return tokens;
	throw new ConfigurationError(
		`${name}: token ${bad + 1} is ${BEARER_TOKEN.test(tokens[bad] as string) ? "too short" : "not a bearer token"}: ` +
			`each takes at least ${SECRET_MIN_LENGTH} of the characters A-Z a-z 0-9 - . _ ~ + / (try "openssl rand -hex 32")`,
	);
}

/** A token that is in both lists would let an engine erase a person's data. */
export function operatorTokens(value: string | undefined, recorderTokens: string | undefined): readonly string[] {
	const operators = tokens("OPERATOR_TOKENS", value);
	const recorders = tokens("RECORDER_TOKENS", recorderTokens);
	const shared = operators.findIndex((token) => recorders.includes(token));
	if (shared === -1) return operators;
	throw new ConfigurationError(`OPERATOR_TOKENS: token ${shared + 1} is one of RECORDER_TOKENS, too: make another one`);
}

export function readTokenSecrets(value = ""): readonly string[] {
	const secrets = commaSeparated(value);
	const short = secrets.findIndex((secret) => secret.length < SECRET_MIN_LENGTH);
	if (short === -1) return secrets;
	throw new ConfigurationError(
		`READ_TOKEN_SECRET: secret ${short + 1} is too short: each has at least ${SECRET_MIN_LENGTH} characters, and no comma ` +
			'(try "openssl rand -hex 32")',
	);
}

export function allowedOrigins(value = ""): readonly string[] {
	return commaSeparated(value).map((origin) => {
		// URL takes an asterisk as a host name, which no page has.
		if (URL.canParse(origin) && new URL(origin).origin === origin && !origin.includes("*")) return origin;
		throw new ConfigurationError(
			`ALLOWED_ORIGINS: "${origin}" is not an origin: scheme and host alone, e.g. "https://app.example.com"`,
		);
	});
}

/** On unless it is switched off. Anything but "true" and "false" is an error: somebody who wrote "no" believes that it is off. */
export function checkRevokedBefore(value: string | boolean = ""): boolean {
	const text = String(value);
	if (text === "true" || text === "") return true;
	if (text === "false") return false;
	throw new ConfigurationError('CHECK_REVOKED_BEFORE is neither "true" nor "false": correct it in wrangler.toml');
}

export function dropsOldest(value = ""): boolean {
	if (value === "drop-oldest") return true;
	if (value === "refuse" || value === "") return false;
	throw new ConfigurationError('HISTORY_FULL is neither "refuse" nor "drop-oldest": correct it in wrangler.toml');
}

/** A list of TOML's is as good: as text it has commas. */
function commaSeparated(value: string): string[] {
	return String(value)
		.split(",")
		.map((item) => item.trim())
		.filter((item) => item !== "");
}

/** @param unset what it is if there is no value */
export function number<T>(
	name: string,
	value: string | number | undefined,
	unset: T,
	{ min, max }: { min: number; max: number },
): number | T {
	if (value === undefined || value === "") return unset;
	// A boolean would be taken for 1, and RETENTION_DAYS = true delete all that is older than a day; a blank, or a list of
	// nothing, for 0.
	const isNumber = typeof value === "number" || (typeof value === "string" && value.trim() !== "");
	const number = isNumber ? Number(value) : Number.NaN;
	if (number >= min && number <= max) return number;
	throw new ConfigurationError(`${name} is not a number from ${min} to ${max}: correct it in wrangler.toml`);
}
