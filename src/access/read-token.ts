/*
 * Read tokens: JWTs (RFC 7519) that an app's own server makes for its user. Only one kind is taken, so that a token
 * cannot choose how it is checked (RFC 8725, 3.1): HS256, by one of the secrets, three parts, no extensions.
 */

/** What a read token says, once it is verified. */
export interface ReadToken {
	/** `sub`: the user who reads. */
	readonly userId: string;
	/** `chat`: the one chat that it opens, as a lower-case UUID; undefined: all of the user's. */
	readonly chatId: string | undefined;
	/** `exp`, in milliseconds since the epoch. */
	readonly expiresAt: number;
	/** What was signed. Unlike the signature, it has one spelling only, so that it can be counted by. */
	readonly signed: string;
}

/** A token that is good for longer than this is refused, in seconds: nobody can take one back. */
export const MAX_SECONDS = 86_400;

/** How far the clock of the server that makes tokens may be ahead of ours, in seconds. */
const CLOCK_SKEW_SECONDS = 60;

/** Of a whole token, in characters. Our own have under 2,300, whatever the user's id. */
const MAX_LENGTH = 4_096;

/** Of a user's id, as at the registration of a chat. */
const MAX_USER_ID = 255;

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Verifies a read token. No I/O.
 * @param secrets any of them may have signed it, so that secrets can be changed without a pause
 * @param now milliseconds since the epoch
 * @returns null unless it is signed, well-formed, unexpired and short-lived
 */
export async function verifyReadToken(
	token: string,
	secrets: readonly string[],
	now: number,
): Promise<ReadToken | null> {
	const parts = token.length <= MAX_LENGTH ? token.split(".") : [];
	const [head, claims, signature] = parts;
	if (parts.length !== 3 || !head || !claims || !signature) return null;
	const header = parseJson(head);
	// A critical extension that is not understood must be refused (RFC 7515, 4.1.11), and none is understood here.
	if (header?.["alg"] !== "HS256" || "crit" in header) return null;
	const mac = decode(signature);
	if (!mac) return null;
	const signed = `${head}.${claims}`;
	const data = new TextEncoder().encode(signed);
	const matches = await Promise.all(
		secrets.map(async (secret) => crypto.subtle.verify("HMAC", await keyOf(secret), mac, data)),
	);
	if (!matches.includes(true)) return null;
	const said = parseJson(claims);
	return said && readClaims(said, signed, now / 1000);
}

/** @param now seconds since the epoch, as a token's dates are (RFC 7519, 2) */
function readClaims(claims: Record<string, unknown>, signed: string, now: number): ReadToken | null {
	const { sub, chat, exp, nbf } = claims;
	if (typeof sub !== "string" || sub === "" || sub.length > MAX_USER_ID) return null;
	if (typeof exp !== "number" || !(exp > now && exp <= now + MAX_SECONDS + CLOCK_SKEW_SECONDS)) return null;
	if (nbf !== undefined && !(typeof nbf === "number" && nbf <= now + CLOCK_SKEW_SECONDS)) return null;
	// A chat that cannot be read must not become "all chats".
	const chatId = typeof chat === "string" ? chat.toLowerCase() : chat;
	if (chatId !== undefined && !(typeof chatId === "string" && UUID.test(chatId))) return null;
	return { userId: sub, chatId, expiresAt: exp * 1000, signed };
}

/** An object of JSON in base64url; null if it is anything else. */
function parseJson(text: string): Record<string, unknown> | null {
	const bytes = decode(text);
	if (!bytes) return null;
	try {
		const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
		return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : null;
	} catch {
		return null;
	}
}

/** Base64url without padding (RFC 7515, 2); null if the text is not. */
function decode(text: string): Uint8Array<ArrayBuffer> | null {
	if (!/^[\w-]+$/.test(text)) return null;
	try {
		return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (character) =>
			character.charCodeAt(0),
		);
	} catch {
		return null;
	}
}

/** Keys by secret: importing one takes as long as verifying. */
const keys = new Map<string, Promise<CryptoKey>>();

function keyOf(secret: string): Promise<CryptoKey> {
	let key = keys.get(secret);
	if (!key) {
		key = crypto.subtle.importKey("raw", new TextEncoder().encode(secret), { name: "HMAC", hash: "SHA-256" }, false, [
			"verify",
		]);
		keys.set(secret, key);
	}
	return key;
}
