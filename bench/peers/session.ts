import type { Env, StoredSession } from "./env.ts";

const COOKIE = /(?:^|; )better-auth\.session_token=([^;]+)/;

let key: Promise<CryptoKey> | undefined;

/** The session token in the request's cookie, or null unless its signature is right. The key is imported once. */
export async function signedToken(request: Request, secret: string): Promise<string | null> {
	const [, value] = COOKIE.exec(request.headers.get("cookie") ?? "") ?? [];
	if (!value) return null;
	const signed = decodeURIComponent(value);
	const dot = signed.lastIndexOf(".");
	const token = signed.slice(0, dot);
	const signature = Uint8Array.from(atob(signed.slice(dot + 1)), (char) => char.charCodeAt(0));
	key ??= crypto.subtle.importKey("raw", encode(secret), { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
	return (await crypto.subtle.verify("HMAC", await key, signature, encode(token))) ? token : null;
}

export function isValid(stored: StoredSession | null): stored is StoredSession {
	return stored !== null && Date.parse(stored.session.expiresAt) > Date.now();
}

const encoder = new TextEncoder();
const encode = (text: string) => encoder.encode(text);

/** better-auth's note of when it last ended all sessions of a user: a session of before is over. */
export const readRevocations = (env: Env, userId: string | null) =>
	userId === null ? null : env.SESSIONS.get(`revoked-sessions-before-${userId}`);
