import { uuidFor } from "../protocol/uuid.ts";

const MAX_SECONDS = 86_400;
const MIN_SECRET_LENGTH = 32;

export interface ReadTokenOptions {
	/** The service's `READ_TOKEN_SECRET`: at least 32 characters. Of several, separated by commas, the first signs. */
	secret: string;
	/** The user who reads: the owner with whom the chats were registered. */
	userId: string;
	/** Only this chat. Any engine's chat id, as in a report. Default: all chats of the user. */
	chatId?: string | undefined;
	/** 1 to 86,400 (a day). Default: 3,600. */
	expiresInSeconds?: number | undefined;
}

/**
 * Makes a read token, for apps with another sign-in than better-auth: a JWT (RFC 7519) signed by HS256, with the claims
 * `sub`, `exp` and, for one chat only, `chat`. Make it on your server, for a user who is signed in there. It is sent as
 * `Authorization: Bearer …`, never in a URL.
 * @throws {TypeError} if the secret is too short, or `userId` is empty
 * @throws {RangeError} if it would last less than a second or more than a day
 */
export async function createReadToken(options: ReadTokenOptions): Promise<string> {
	const { userId, chatId, expiresInSeconds = 3_600 } = options;
	const secret = String(options.secret).split(",", 1).join().trim();
	if (secret.length < MIN_SECRET_LENGTH) {
		throw new TypeError(`the secret has fewer than ${MIN_SECRET_LENGTH} characters`);
	}
	if (typeof userId !== "string" || userId === "") throw new TypeError("there is no userId");
	if (!(expiresInSeconds >= 1 && expiresInSeconds <= MAX_SECONDS)) {
		throw new RangeError(`expiresInSeconds is not from 1 to ${MAX_SECONDS}`);
	}
	const claims = {
		sub: userId,
		...(chatId !== undefined && { chat: uuidFor("chat", chatId) }),
		exp: Math.floor(Date.now() / 1000 + expiresInSeconds),
	};
	const signed = `${encodeJson({ alg: "HS256", typ: "JWT" })}.${encodeJson(claims)}`;
	const algorithm = { name: "HMAC", hash: "SHA-256" };
	const key = await crypto.subtle.importKey("raw", utf8(secret), algorithm, false, ["sign"]);
	return `${signed}.${encodeBytes(new Uint8Array(await crypto.subtle.sign("HMAC", key, utf8(signed))))}`;
}

const utf8 = (text: string) => new TextEncoder().encode(text);

const encodeJson = (value: unknown) => encodeBytes(utf8(JSON.stringify(value)));

/** Base64url without padding (RFC 7515, 2). */
function encodeBytes(bytes: Uint8Array): string {
	const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
	return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
