import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { createReadToken } from "#recorder/index.ts";
import { networkOf } from "../../../src/access/rate-limit.ts";
import { app } from "../../../src/app.ts";
import type { Env } from "../../../src/env.ts";
import { ERRORS } from "../../../src/errors.ts";
import wranglerToml from "../../../wrangler.toml?raw";
import { SECRETS } from "../access/read-tokens.ts";
import { insertChat, insertRuns, requestWith, runsPath, signedCookie, signIn, uuid } from "../helpers.ts";
import { operating } from "../operating/operator.ts";
import { OPERATOR_TOKENS, recording, report, TOKENS } from "../recording/recorder.ts";
import { watchBindings } from "../watch-bindings.ts";

/** Of the small limiters in vitest.config.ts. */
const LIMIT = 3;
const PERIOD_MILLISECONDS = 60_000;
const SMALL = {
	READ_LIMIT: env.SMALL_READ_LIMIT,
	WRITE_LIMIT: env.SMALL_WRITE_LIMIT,
	OPERATOR_LIMIT: env.SMALL_OPERATOR_LIMIT,
	SIGN_IN_LIMIT: env.SMALL_SIGN_IN_LIMIT,
};

type Limits = { [K in keyof typeof SMALL]?: RateLimit | undefined };

/** The local limiter's periods are aligned to the clock: a test that would run across a turn waits for it. */
beforeEach(async () => {
	const left = PERIOD_MILLISECONDS - (Date.now() % PERIOD_MILLISECONDS);
	if (left < 4_000) await new Promise((resolve) => setTimeout(resolve, left));
}, 10_000);

async function ownChat() {
	const user = uuid();
	const { cookie, token } = await signIn(user);
	const chat = await insertChat(user);
	const [run] = (await insertRuns(chat, [{}])) as [string];
	return { user, chat, run, cookie, token };
}

/** An address of a network that no other test uses (RFC 3849). */
const anAddress = () => `2001:db8:${uuid().slice(0, 4)}:${uuid().slice(0, 4)}::1`;

const read = (path: string, headers: Record<string, string>, limits: Limits = SMALL) =>
	requestWith(limits, path, { headers });

/** The statuses of so many requests, one after the other. */
async function statuses(times: number, ask: () => Promise<Response>): Promise<number[]> {
	const all: number[] = [];
	for (let i = 0; i < times; i++) {
		const response = await ask();
		await response.body?.cancel();
		all.push(response.status);
	}
	return all;
}

const passesThenRefuses = (status: number) => [...Array(LIMIT).fill(status), 429, 429];

async function expectTooMany(response: Response): Promise<void> {
	expect(response.status).toBe(429);
	expect(response.headers.get("retry-after")).toMatch(/^[1-9]\d?$/);
	expect(response.headers.get("cache-control")).toBe("no-store");
	expect(response.headers.get("etag")).toBeNull();
	expect(await response.json()).toEqual({
		error: "Too Many Requests",
		code: "RATE_LIMITED",
		message: "Too many requests; try again later",
		requestId: response.headers.get("x-request-id"),
	});
}

describe("reads are limited by session", () => {
	it("whatever its user reads", async () => {
		const { chat, run, cookie } = await ownChat();
		const list = () => read(runsPath(chat), { cookie });
		expect(await statuses(LIMIT + 2, list)).toEqual(passesThenRefuses(200));
		await expectTooMany(await list());
		for (const path of ["", "?limit=1", `/${run}`, "/stream", `/${run}/stream`]) {
			await expectTooMany(await read(runsPath(chat) + path, { cookie }));
		}
		await expectTooMany(await read(runsPath(uuid()), { cookie }));
		const page = await read(`/chats/${chat}`, { cookie });
		expect([page.status, page.headers.get("retry-after")]).toEqual([429, "10"]);
	});

	it("and not the others", async () => {
		const noisy = await ownChat();
		await statuses(LIMIT + 1, () => read(runsPath(noisy.chat), { cookie: noisy.cookie }));
		const quiet = await ownChat();
		expect((await read(runsPath(quiet.chat), { cookie: quiet.cookie })).status).toBe(200);
	});

	it("or by read token, however its signature is spelt", async () => {
		const { chat, user, cookie } = await ownChat();
		const token = await createReadToken({ secret: SECRETS[0], userId: user });
		// 32 bytes leave two bits of the last character unused.
		const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
		const last = letters.indexOf(token.at(-1) as string);
		const spellings = [0, 1, 2, 3, 0].map((bits) => token.slice(0, -1) + letters[(last & ~3) | bits]);
		const ask = () => read(runsPath(chat), { authorization: `Bearer ${spellings.shift()}` });
		expect(await statuses(LIMIT + 2, ask)).toEqual(passesThenRefuses(200));
		expect((await read(runsPath(chat), { cookie })).status).toBe(200);
		const other = await createReadToken({ secret: SECRETS[0], userId: user, chatId: chat });
		expect((await read(runsPath(chat), { authorization: `Bearer ${other}` })).status).toBe(200);
	});

	it("and bad read tokens by address", async () => {
		const { chat, user } = await ownChat();
		const address = anAddress();
		const guess = async () => {
			const token = await createReadToken({ secret: `${SECRETS[0]}${uuid()}`, userId: user });
			return read(runsPath(chat), { authorization: `Bearer ${token}`, "cf-connecting-ip": address });
		};
		expect(await statuses(LIMIT + 2, guess)).toEqual(passesThenRefuses(401));
	});

	it("before any store is asked: a stranger, or a session that was revoked, costs them nothing", async () => {
		const { chat } = await ownChat();
		const stranger = await signIn(uuid());
		const revoked = await signedCookie(uuid());
		const from = () => ({ "cf-connecting-ip": anAddress() });
		for (const [cookie, status] of [
			[stranger.cookie, 403],
			[revoked, 401],
		] as const) {
			const { calls, ...bindings } = watchBindings();
			const ask = () => requestWith({ ...SMALL, ...bindings }, runsPath(chat), { headers: { cookie, ...from() } });
			expect(await statuses(LIMIT + 2, ask)).toEqual(passesThenRefuses(status));
			expect(calls.d1.length).toBeLessThanOrEqual(LIMIT);
			// The session, and what was revoked of the asking user and of the chat's owner.
			expect(calls.kv.length).toBeLessThanOrEqual(3 * LIMIT);
			const before = structuredClone(calls);
			await expectTooMany(await ask());
			expect(calls).toEqual(before);
		}
	});

	it("those that are answered with 304 or an error too", async () => {
		const { chat, cookie } = await ownChat();
		const etag = (await read(runsPath(chat), { cookie }, {})).headers.get("etag") as string;
		const poll = () => read(runsPath(chat), { cookie, "if-none-match": etag });
		expect(await statuses(LIMIT + 2, poll)).toEqual(passesThenRefuses(304));
		const lost = await ownChat();
		const miss = () => read(runsPath(uuid()), { cookie: lost.cookie });
		expect(await statuses(LIMIT + 2, miss)).toEqual(passesThenRefuses(404));
	});

	it("by limits in wrangler.toml that no tab reaches, and that tell the client when to come back", () => {
		const limits = [...wranglerToml.matchAll(/^name = "(\w+_LIMIT)"[^[]*?limit = (\d+), period = (\d+)/gm)];
		// Production's, then staging's.
		expect(limits.slice(0, 4).map(([, name]) => name)).toEqual(Object.keys(SMALL));
		const [reads] = limits.map(([, , limit, period]) => ({ aSecond: Number(limit) / Number(period), period }));
		expect(reads?.aSecond).toBeGreaterThanOrEqual(10);
		expect(reads?.period).toBe(ERRORS.RATE_LIMITED.headers?.["retry-after"]);
	});
});

describe("writes are limited by token", () => {
	it("and one that is used up leaves the other", async () => {
		const chat = await insertChat(uuid());
		const write = (token: string) =>
			requestWith(
				SMALL,
				`${runsPath(chat)}/${uuid()}`,
				recording("PUT", report(), { authorization: `Bearer ${token}` }),
			);
		expect(await statuses(LIMIT + 2, () => write(TOKENS[0]))).toEqual(passesThenRefuses(201));
		await expectTooMany(await write(TOKENS[0]));
		expect((await write(TOKENS[1])).status).toBe(201);
		const { n } = (await env.DB.prepare("select count(*) as n from workflow_runs where chat_id = ?")
			.bind(chat)
			.first()) as { n: number };
		expect(n).toBe(LIMIT + 1);
	});
});

describe("what operators ask is limited by token", () => {
	it("before any store is asked, and apart from writes", async () => {
		const { calls, ...bindings } = watchBindings();
		const ask = (token: string) =>
			requestWith({ ...SMALL, ...bindings }, `/api/users/${uuid()}`, operating("DELETE", token));
		expect(await statuses(LIMIT + 2, () => ask(OPERATOR_TOKENS[1]))).toEqual(passesThenRefuses(200));
		const before = calls.d1.length;
		await expectTooMany(await ask(OPERATOR_TOKENS[1]));
		expect(calls.d1).toHaveLength(before);
		const limits = { ...SMALL, OPERATOR_LIMIT: undefined };
		expect((await requestWith(limits, `/api/users/${uuid()}`, operating("DELETE"))).status).toBe(200);
	});
});

describe("failed sign-ins are limited by address", () => {
	let mine: Awaited<ReturnType<typeof ownChat>>;
	let forged: string;
	beforeAll(async () => {
		mine = await ownChat();
		forged = await signedCookie(mine.token, { secret: "a secret that somebody else has thought out" });
	});

	it.each([
		["a forged cookie", async () => ({ cookie: forged })],
		["a well-signed cookie of no session", async () => ({ cookie: await signedCookie(uuid()) })],
		["a __Secure- cookie that is forged", async () => ({ cookie: `__Secure-${forged}` })],
	])("made with %s", async (_, headers) => {
		const sent = { ...(await headers()), "cf-connecting-ip": anAddress() };
		expect(await statuses(LIMIT + 2, () => read(runsPath(mine.chat), sent))).toEqual(passesThenRefuses(401));
		await expectTooMany(await read(runsPath(mine.chat), sent));
	});

	it("made with a bad token, and with both kinds together", async () => {
		const sent = { authorization: "Bearer guess", "cf-connecting-ip": anAddress() };
		const write = () => requestWith(SMALL, `/api/chats/${uuid()}`, recording("PUT", { userId: "x" }, sent));
		expect(await statuses(LIMIT + 2, write)).toEqual(passesThenRefuses(401));
		await expectTooMany(await read(runsPath(mine.chat), { ...sent, cookie: forged }));
	});

	it("but not who has no cookie or token at all, which is no attempt", async () => {
		const from = { "cf-connecting-ip": anAddress() };
		const all = await statuses(LIMIT + 2, () => read(runsPath(mine.chat), { ...from, cookie: "theme=dark" }));
		expect(all).toEqual(Array(LIMIT + 2).fill(401));
		const write = () => requestWith(SMALL, `/api/chats/${uuid()}`, { method: "DELETE", headers: from });
		expect(await statuses(LIMIT + 2, write)).toEqual(Array(LIMIT + 2).fill(401));
	});

	it("nor who is signed in at the same address, nor another address", async () => {
		const from = { "cf-connecting-ip": anAddress() };
		await statuses(LIMIT + 1, () => read(runsPath(mine.chat), { ...from, cookie: forged }));
		const colleague = await ownChat();
		expect((await read(runsPath(colleague.chat), { ...from, cookie: colleague.cookie })).status).toBe(200);
		const chat = `/api/chats/${uuid()}`;
		const write = recording("PUT", { userId: "x" }, { ...from, authorization: `Bearer ${TOKENS[1]}` });
		expect((await requestWith(SMALL, chat, write)).status).toBe(201);
		const elsewhere = await read(runsPath(mine.chat), { "cf-connecting-ip": anAddress(), cookie: forged });
		expect(elsewhere.status).toBe(401);
	});

	it("of IPv6 by /64, which one host has to itself", async () => {
		const [a, b, elsewhere] = ["2001:db8:1:2::1", "2001:DB8:1:2:ffff::9", "2001:db8:1:3::1"].map((address) => ({
			cookie: forged,
			"cf-connecting-ip": address as string,
		}));
		await statuses(LIMIT, () => read(runsPath(mine.chat), a as Record<string, string>));
		await expectTooMany(await read(runsPath(mine.chat), b as Record<string, string>));
		expect((await read(runsPath(mine.chat), elsewhere as Record<string, string>)).status).toBe(401);
	});

	it.each([
		["203.0.113.7", "203.0.113.7"],
		["::ffff:203.0.113.7", "203.0.113.7"],
		["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
		["2001:0DB8:0001:0002::", "2001:db8:1:2::/64"],
		["2001:db8::1", "2001:db8:0:0::/64"],
		["::1", "0:0:0:0::/64"],
		["2001:db8:1::5:6:203.0.113.7", "2001:db8:1:0::/64"],
		["unknown", "unknown"],
	])("counts %s as %s", (address, network) => {
		expect(networkOf(address)).toBe(network);
	});

	it("and not an outage of KV, which is nobody's guess", async () => {
		const from = { "cf-connecting-ip": anAddress(), cookie: mine.cookie };
		const SESSIONS = { get: () => Promise.reject(new Error("KV GET failed")) } as unknown as KVNamespace;
		vi.spyOn(console, "error").mockImplementation(() => {});
		const all = await statuses(LIMIT + 2, () =>
			requestWith({ SIGN_IN_LIMIT: SMALL.SIGN_IN_LIMIT, SESSIONS }, runsPath(mine.chat), { headers: from }),
		);
		expect(all).toEqual(Array(LIMIT + 2).fill(503));
	});
});

describe("a limiter", () => {
	afterEach(() => {
		vi.restoreAllMocks();
	});

	it("that is not bound limits nothing, and the log says so once, but no stranger hears of it", async () => {
		const logged = vi.spyOn(console, "log").mockImplementation(() => {});
		const { chat, cookie } = await ownChat();
		const bindings = { ...env, ...SMALL, READ_LIMIT: undefined } as unknown as Env;
		for (let i = 0; i < LIMIT + 2; i++) {
			const context = createExecutionContext();
			const sent = new Request(`http://edge-runs.test${runsPath(chat)}`, { headers: { cookie } });
			expect((await app.fetch(sent, bindings, context)).status).toBe(200);
			await waitOnExecutionContext(context);
		}
		const lines = logged.mock.calls.map(([line]) => JSON.parse(line as string));
		expect(lines.filter(({ event }) => event === "no limit")).toEqual([
			{ level: "info", requestId: expect.any(String), event: "no limit", limiter: "READ_LIMIT" },
		]);
		expect(await (await requestWith({ READ_LIMIT: undefined }, "/api/health")).text()).not.toMatch(/limit/i);
	});

	it.each<[string, () => unknown]>([
		["throws", () => Promise.reject(new Error("limiter is down"))],
		["answers garbage", () => Promise.resolve(undefined)],
		["hangs", () => new Promise(() => {})],
	])("that %s lets requests pass, and the log says so", async (_, limit) => {
		const logged = vi.spyOn(console, "error").mockImplementation(() => {});
		const broken = { limit } as unknown as RateLimit;
		const limits = { READ_LIMIT: broken, WRITE_LIMIT: broken, SIGN_IN_LIMIT: broken, STORE_TIMEOUT_SECONDS: 0.5 };
		const { chat, cookie } = await ownChat();
		expect((await read(runsPath(chat), { cookie }, limits)).status).toBe(200);
		expect((await read(runsPath(chat), { cookie: "better-auth.session_token=x.y" }, limits)).status).toBe(401);
		const write = recording("PUT", report());
		expect((await requestWith(limits, `${runsPath(chat)}/${uuid()}`, write)).status).toBe(201);
		const lines = logged.mock.calls.map(([line]) => JSON.parse(line as string));
		expect(lines.filter(({ event }) => event === "rate limit").map(({ event, limiter }) => [event, limiter])).toEqual(
			(["READ_LIMIT", "SIGN_IN_LIMIT", "WRITE_LIMIT"] satisfies (keyof Env)[]).map((name) => ["rate limit", name]),
		);
	});

	it("never gets a cookie or a token as its key", async () => {
		const keys: string[] = [];
		const spy = { limit: async ({ key }: { key: string }) => void keys.push(key) } as unknown as RateLimit;
		vi.spyOn(console, "error").mockImplementation(() => {});
		const limits = { READ_LIMIT: spy, WRITE_LIMIT: spy, SIGN_IN_LIMIT: spy };
		const { chat, cookie, token } = await ownChat();
		await read(runsPath(chat), { cookie }, limits);
		await requestWith(limits, `${runsPath(chat)}/${uuid()}`, recording("PUT", report()));
		const unknown = await signedCookie(uuid());
		await read(runsPath(chat), { cookie: unknown, "cf-connecting-ip": "192.0.2.1" }, limits);
		const session = expect.stringMatching(/^session [0-9a-f]{32}$/);
		expect(keys).toEqual([session, "token 1", session, "192.0.2.1"]);
		expect(keys.join()).not.toContain(token);
	});
});
