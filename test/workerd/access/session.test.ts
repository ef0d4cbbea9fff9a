import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { insertChat, request, requestWith, runsPath, signedCookie, signIn, storedSession, uuid } from "../helpers.ts";
import { watchBindings } from "../watch-bindings.ts";

const user = uuid();
let chat: string;

beforeAll(async () => {
	chat = await insertChat(user);
});

/** Asks for the chat's runs; `calls` are those to KV and D1. */
async function ask(cookie: string | undefined, vars: { SESSION_COOKIE_PREFIX?: string } = {}) {
	const { calls, ...bindings } = watchBindings();
	const headers: HeadersInit = cookie === undefined ? {} : { cookie };
	const response = await requestWith({ ...bindings, ...vars }, runsPath(chat), { headers });
	return { status: response.status, calls };
}

/** A signed cookie whose KV entry is this value. */
async function cookieFor(value: unknown): Promise<string> {
	const token = uuid();
	await env.SESSIONS.put(token, typeof value === "string" ? value : JSON.stringify(value));
	return signedCookie(token);
}

describe("a session cookie", () => {
	it("signs its user in, under either name", async () => {
		const { cookie, token } = await signIn(user);
		expect((await ask(cookie)).status).toBe(200);
		const secure = await signedCookie(token, { name: "__Secure-better-auth.session_token" });
		expect((await ask(secure)).status).toBe(200);
	});

	it("is found among others", async () => {
		const { cookie } = await signIn(user);
		expect((await ask(`theme=dark; better-auth.session_data=x; ${cookie}; a=b=c;;`)).status).toBe(200);
	});

	it("takes the prefix that SESSION_COOKIE_PREFIX says, and no other then", async () => {
		const { cookie, token } = await signIn(user);
		const vars = { SESSION_COOKIE_PREFIX: "my-app" };
		for (const name of ["my-app.session_token", "__Secure-my-app.session_token"]) {
			expect((await ask(await signedCookie(token, { name }), vars)).status).toBe(200);
		}
		expect((await ask(cookie, vars)).status).toBe(401);
	});

	it("is preferred over https' name, and by place: the first of a name counts", async () => {
		const { cookie, token } = await signIn(user);
		const stranger = await signIn(uuid());
		const name = "__Secure-better-auth.session_token";
		expect((await ask(`${stranger.cookie}; ${await signedCookie(token, { name })}`)).status).toBe(200);
		expect((await ask(`${cookie}; ${await signedCookie(stranger.token, { name })}`)).status).toBe(403);
		expect((await ask(`${cookie}; ${stranger.cookie}`)).status).toBe(200);
		expect((await ask(`${stranger.cookie}; ${cookie}`)).status).toBe(403);
	});

	it("may be signed by a secret that has a comma in it", async () => {
		const { token } = await signIn(user);
		const secret = `${"a".repeat(20)}, ${"b".repeat(40)}`;
		const headers = { cookie: await signedCookie(token, { secret }) };
		expect((await requestWith({ BETTER_AUTH_SECRET: secret }, runsPath(chat), { headers })).status).toBe(200);
	});

	it("is worth nothing once its session is revoked", async () => {
		const { cookie, token } = await signIn(user);
		await env.SESSIONS.delete(token);
		expect((await ask(cookie)).status).toBe(401);
	});
});

describe("what is not a signed cookie causes no I/O:", () => {
	it.each<[string, (token: string, cookie: string) => string | undefined | Promise<string>]>([
		["no cookie", () => undefined],
		["an empty header", () => ""],
		["an unsigned token", (token) => `better-auth.session_token=${token}`],
		["an empty signature", (token) => `better-auth.session_token=${token}.`],
		["a signature of zeros", (token) => `better-auth.session_token=${token}.${"A".repeat(43)}%3D`],
		["another token's signature", (_, cookie) => cookie.replace("=", "=x")],
		["a changed signature", (_, cookie) => cookie.replace(/\.(.)(?=[^.]*$)/, (_, c) => `.${c === "A" ? "B" : "A"}`)],
		["another secret", (token) => signedCookie(token, { secret: "another secret of at least thirty-two characters" })],
		["another cookie's name", (token) => signedCookie(token, { name: "better-auth.session_data" })],
		["a prefixed name", (token) => signedCookie(token, { name: "x-better-auth.session_token" })],
		["a name in another case", (token) => signedCookie(token, { name: "Better-Auth.session_token" })],
		["a broken percent-encoding", (_, cookie) => cookie.replace("%", "%%")],
	])("%s", async (_, cookieOf) => {
		const { cookie, token } = await signIn(user);
		const { status, calls } = await ask(await cookieOf(token, cookie));
		expect(status).toBe(401);
		expect(calls).toEqual({ kv: [], d1: [] });
	});

	it("a token in the query, or in any header but Cookie", async () => {
		const { cookie, token } = await signIn(user);
		const value = cookie.slice(cookie.indexOf("=") + 1);
		const { calls, ...bindings } = watchBindings();
		const headers = {
			authorization: `Bearer ${token}`,
			"x-session-token": value,
			"set-cookie": cookie,
			"better-auth.session_token": value,
		};
		const response = await requestWith(bindings, `${runsPath(chat)}?${cookie}&session_token=${value}`, { headers });
		expect(response.status).toBe(401);
		expect(calls).toEqual({ kv: [], d1: [] });
	});

	it.each([
		["longer than a KV key may be", "x".repeat(513)],
		["empty", ""],
		["a dot, which is no KV key", "."],
		["two dots, which are no KV key", ".."],
		["with a space", "a b"],
		["with a line break", "a\nb"],
		["with a null byte", "a\0b"],
		["not ASCII", "é".repeat(32)],
	])("a signed token that is odd: %s", async (_, token) => {
		const { status, calls } = await ask(await signedCookie(token));
		expect(status).toBe(401);
		expect(calls).toEqual({ kv: [], d1: [] });
	});

	it("but the longest KV key is looked up", async () => {
		const token = "x".repeat(512);
		const { status, calls } = await ask(await signedCookie(token));
		expect(status).toBe(401);
		expect(calls.kv).toContain(token);
	});
});

describe("what KV holds is not trusted:", () => {
	const stored = (session: Record<string, unknown>) => storedSession(user, uuid(), session);

	it.each<[string, unknown]>([
		["expired", stored({ expiresAt: new Date(Date.now() - 1).toISOString() })],
		["without an expiry", stored({ expiresAt: undefined })],
		["an expiry that is no date", stored({ expiresAt: "tomorrow" })],
		["an expiry that is a number", stored({ expiresAt: Date.now() + 3_600_000 })],
		["user null", { ...stored({}), user: null }],
		["no user", { session: stored({}).session }],
		["session null", { ...stored({}), session: null }],
		["no user id", stored({ userId: undefined })],
		["an empty user id", stored({ userId: "" })],
		["a user id that is a list", stored({ userId: [user] })],
		["not JSON", "not JSON"],
		["empty", ""],
		["null", "null"],
		["a number", "42"],
		["a list", [stored({})]],
		["JSON within JSON", JSON.stringify(JSON.stringify(stored({})))],
	])("%s", async (_, value) => {
		expect((await ask(await cookieFor(value))).status).toBe(401);
	});

	it("while a good one passes by the same way", async () => {
		expect((await ask(await cookieFor(stored({})))).status).toBe(200);
	});
});

it("the service's own entry reads the same sessions", async () => {
	const { cookie } = await signIn(user);
	expect((await request(runsPath(chat), { headers: { cookie } })).status).toBe(200);
});
