import { parseSigned } from "hono/utils/cookie";

/** KV takes keys of 1 to 512 bytes, and neither "." nor "..". better-auth's tokens are 32 letters and digits. */
const TOKEN = /^(?!\.{1,2}$)[\x21-\x7e]{1,512}$/;

/**
 * The session token that a `Cookie` header carries under a valid signature, or null.
 *
 * Format (better-auth 1.7): `encodeURIComponent(token + "." + base64(HMAC-SHA256(secret, token)))` under
 * `<prefix>.session_token`, or `__Secure-<prefix>.session_token` where better-auth runs over https. The
 * `__Secure-` one is preferred, since only https can set it. Of several cookies of one name the first
 * counts: RFC 6265, 5.4 puts the most specific path first.
 *
 * @param secrets any of them may have signed it, so that they can be changed without a pause
 */
export async function readSessionToken(
	cookieHeader: string | undefined,
	secrets: readonly string[],
	prefix: string,
): Promise<string | null> {
	if (!cookieHeader) return null;
	for (const name of [`__Secure-${prefix}.session_token`, `${prefix}.session_token`]) {
		// parseSigned imports the key before it looks.
		if (!cookieHeader.includes(name)) continue;
		for (const secret of secrets) {
			const token = (await parseSigned(cookieHeader, secret, name))[name];
			if (token && TOKEN.test(token)) return token;
		}
	}
	return null;
}
