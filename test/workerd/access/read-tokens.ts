import { env } from "cloudflare:workers";
import { uuid } from "../helpers.ts";

/** Of the tests' `READ_TOKEN_SECRET`. */
export const SECRETS = env.READ_TOKEN_SECRET.split(",") as [string, string];

const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;

const base64url = (bytes: Uint8Array | string) =>
	btoa(typeof bytes === "string" ? bytes : String.fromCharCode(...bytes))
		.replaceAll("+", "-")
		.replaceAll("/", "_")
		.replaceAll("=", "");

/** Signs whatever it is given, as a JWT: the tests' own words for RFC 7515, so that bad ones can be made. */
export async function sign(
	claims: unknown,
	{ header = { alg: "HS256", typ: "JWT" } as object, secret = SECRETS[0], hash = "SHA-256" } = {},
): Promise<string> {
	const signed = `${base64url(JSON.stringify(header))}.${base64url(JSON.stringify(claims))}`;
	const bytes = (text: string) => new TextEncoder().encode(text);
	const key = await crypto.subtle.importKey("raw", bytes(secret), { name: "HMAC", hash }, false, ["sign"]);
	return `${signed}.${base64url(new Uint8Array(await crypto.subtle.sign("HMAC", key, bytes(signed))))}`;
}

/** Tokens that open nothing, each with what is wrong with it. `good` differs from each in that alone. */
export async function badTokens(sub: string, chat: string): Promise<[string, string][]> {
	const exp = inSeconds(600);
	const claims = { sub, exp };
	const good = await sign(claims);
	const [head, body, signature] = good.split(".") as [string, string, string];
	const header = (alg: unknown) => base64url(JSON.stringify({ alg, typ: "JWT" }));
	return [
		["nothing", ""],
		["no JWT", "x"],
		["two parts", `${head}.${body}`],
		["four parts", `${good}.${signature}`],
		["five parts, as an encrypted one", `${good}..${signature}`],
		["no signature", `${head}.${body}.`],
		["a cut signature", `${head}.${body}.${signature.slice(0, -2)}`],
		["a signature that is no base64url", `${head}.${body}.${signature.slice(0, -1)}=`],
		["another user's claims", `${head}.${base64url(JSON.stringify({ sub: uuid(), exp }))}.${signature}`],
		["alg none", `${header("none")}.${body}.`],
		["alg none, signed", await sign(claims, { header: { alg: "none" } })],
		["alg None", `${header("nOnE")}.${body}.${signature}`],
		["HS512", await sign(claims, { header: { alg: "HS512" }, hash: "SHA-512" })],
		["HS512 by name only", await sign(claims, { header: { alg: "HS512" } })],
		["RS256", await sign(claims, { header: { alg: "RS256" } })],
		["no alg", await sign(claims, { header: {} })],
		["a list as header", await sign(claims, { header: ["HS256"] })],
		["a critical extension", await sign(claims, { header: { alg: "HS256", crit: ["b64"], b64: true } })],
		["another secret", await sign(claims, { secret: `${SECRETS[0]}!` })],
		["the session secret", await sign(claims, { secret: env.BETTER_AUTH_SECRET })],
		["both secrets at once", await sign(claims, { secret: SECRETS.join() })],
		["expired", await sign({ sub, exp: inSeconds(-1) })],
		["just expired", await sign({ sub, exp: inSeconds(0) })],
		["too long-lived", await sign({ sub, exp: inSeconds(86_400 + 120) })],
		["for ever", await sign({ sub, exp: 1e300 })],
		["in milliseconds", await sign({ sub, exp: exp * 1000 })],
		["no exp", await sign({ sub })],
		["exp as text", await sign({ sub, exp: String(exp) })],
		["exp null", await sign({ sub, exp: null })],
		["not yet", await sign({ ...claims, nbf: inSeconds(300) })],
		["nbf as text", await sign({ ...claims, nbf: "0" })],
		["no sub", await sign({ exp })],
		["an empty sub", await sign({ ...claims, sub: "" })],
		["sub as a list", await sign({ ...claims, sub: [sub] })],
		["sub true", await sign({ ...claims, sub: true })],
		["chat null", await sign({ ...claims, chat: null })],
		["an empty chat", await sign({ ...claims, chat: "" })],
		["chat as a list", await sign({ ...claims, chat: [chat] })],
		["chat not a UUID", await sign({ ...claims, chat: "*" })],
		["claims as a list", await sign([claims])],
		["claims null", await sign(null)],
		["claims as text", await sign("x")],
		["too long", await sign({ ...claims, more: "x".repeat(5_000) })],
		["spaces", `${good} ${good}`],
		["a comma", `${good},${good}`],
	];
}
