import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { Hono } from "hono";
import { requestId } from "hono/request-id";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { app } from "../../src/app.ts";
import type { AppEnv } from "../../src/http/app-env.ts";
import { onError } from "../../src/http/errors.ts";
import { openScope } from "../../src/http/request-log.ts";
import { insertChat, request, requestWith, runsPath, signIn, uuid } from "./helpers.ts";
import { watchBindings } from "./watch-bindings.ts";

let lines: string[];

beforeEach(() => {
	lines = [];
	for (const method of ["log", "info", "warn", "error", "debug"] as const) {
		vi.spyOn(console, method).mockImplementation((...args) => void lines.push(args.map(String).join(" ")));
	}
});
afterEach(() => {
	vi.restoreAllMocks();
});

/** The log's lines of an event: each must be JSON. */
const logged = (event: string) => lines.map((line) => JSON.parse(line)).filter((line) => line.event === event);

describe("the log", () => {
	it("has a line of JSON for each request, by its id", async () => {
		const response = await request(runsPath(uuid()));
		expect(logged("request")).toContainEqual(
			expect.objectContaining({
				level: "info",
				requestId: response.headers.get("x-request-id"),
				method: "GET",
				status: 401,
				milliseconds: expect.any(Number),
			}),
		);
	});

	it("names the route that answered, a stream's own too", async () => {
		const user = uuid();
		const { cookie } = await signIn(user);
		const chat = await insertChat(user);
		const run = uuid();
		for (const path of ["", "/stream", `/${run}`, `/${run}/stream`]) {
			const response = await request(`${runsPath(chat)}${path}`, { headers: { cookie } });
			await response.body?.cancel();
		}
		const runs = "/api/chats/:chatId/workflow-runs";
		expect(logged("request").map(({ route }) => route)).toEqual([
			runs,
			`${runs}/stream`,
			`${runs}/:runId`,
			`${runs}/:runId/stream`,
		]);
	});

	it("has no part of a user's id in a path, also where its slash is not encoded or no route is", async () => {
		for (const [path, logsAs] of [
			["/api/users/ada%2Flovelace/export", "/api/users/:userId/export"],
			["/api/users/ada/lovelace/export", "/api/users/:userId/export"],
			["/api/users/ada/lovelace", "/api/users/:userId"],
			["/api/admin/users/ada/lovelace", "/api/admin/users/:userId"],
			["/api/Users/ada", "/api/Users/:userId"],
			["//api/users/ada", "//api/users/:userId"],
			["/api/users%2Fada%2Fexport", "/api/users%2F:userId"],
			["/api/users/", "/api/users/"],
		]) {
			lines = [];
			await app.fetch(new Request(`http://edge-runs.test${path}`), env, createExecutionContext());
			expect(logged("request").map((line) => line.path)).toEqual([logsAs]);
		}
	});

	it("never has a cookie, token, signature, query or secret in it, whatever fails", async () => {
		const user = uuid();
		const { cookie, token } = await signIn(user);
		const chat = await insertChat(user);
		const signature = decodeURIComponent(cookie).slice(decodeURIComponent(cookie).lastIndexOf(".") + 1);
		const init = { headers: { cookie, authorization: `Token ${token}` } };
		const path = `${runsPath(chat)}?token=${token}&${cookie}`;
		const fail = (reason: unknown) => () => {
			throw reason;
		};
		for (const hooks of [
			{},
			{ onKv: fail(new Error("KV GET failed: 500")) },
			{ onD1: fail(new Error("D1_ERROR: overloaded")) },
			{ onD1: fail("not even an error") },
		]) {
			const { calls: _, ...bindings } = watchBindings(hooks);
			// Without the edge cache, so that D1 is asked each time.
			await requestWith({ ...bindings, FRESH_SECONDS: 0, STALE_IF_ERROR_SECONDS: 0 }, path, init);
		}
		await env.SESSIONS.put(token, `{"session":{"token":"${token}"`);
		await request(path, init);
		await request(`${runsPath(chat)}?limit=${token}`, init);
		await requestWith({ BETTER_AUTH_SECRET: "short-and-secret" }, path, init);

		expect(logged("request")).toHaveLength(7);
		expect(logged("error")).toHaveLength(4);
		const log = lines.join("\n");
		for (const secret of [
			token,
			signature,
			encodeURIComponent(signature),
			env.BETTER_AUTH_SECRET,
			"short-and-secret",
		]) {
			expect(log).not.toContain(secret);
		}
	});

	it("says all of a failure, down to its cause, by the id that the caller got", async () => {
		const { cookie } = await signIn(uuid());
		const { calls: _, ...bindings } = watchBindings({
			onD1: () => {
				throw new Error("D1_ERROR", { cause: new Error("the disk is gone") });
			},
		});
		const response = await requestWith(bindings, runsPath(uuid()), { headers: { cookie } });
		const [line] = logged("error");
		expect(line).toMatchObject({ level: "error", code: "STORE_UNAVAILABLE" });
		expect(line.requestId).toBe(response.headers.get("x-request-id"));
		expect(line.error).toMatch(/D1_ERROR[\s\S]*the disk is gone/);
	});
});

describe("a missing or unusable setting fails closed, and the log says what to set:", () => {
	it.each<[string, object, RegExp]>([
		["no secret", { BETTER_AUTH_SECRET: undefined }, /BETTER_AUTH_SECRET is not set.*wrangler secret put/],
		["an empty secret", { BETTER_AUTH_SECRET: "" }, /BETTER_AUTH_SECRET is not set/],
		[
			"a read token secret of 31",
			{ READ_TOKEN_SECRET: `${"x".repeat(32)},${"y".repeat(31)}` },
			/READ_TOKEN_SECRET: secret 2 is too short.*at least 32/,
		],
		["a secret of 31", { BETTER_AUTH_SECRET: "x".repeat(31) }, /BETTER_AUTH_SECRET is too short.*at least 32/],
		["a cookie prefix with a space", { SESSION_COOKIE_PREFIX: "my app" }, /SESSION_COOKIE_PREFIX.*\[vars\]/],
		["an empty cookie prefix", { SESSION_COOKIE_PREFIX: "" }, /SESSION_COOKIE_PREFIX/],
		// TOML has other types than text, and wrangler passes them on.
		...[true, 5, ["better-auth"]].map((value): [string, object, RegExp] => [
			`a cookie prefix that is no text: ${value}`,
			{ SESSION_COOKIE_PREFIX: value },
			/SESSION_COOKIE_PREFIX/,
		]),
		...[true, [], ["5"], " "].map((value): [string, object, RegExp] => [
			`a number that is a ${typeof value}: ${value}`,
			{ FRESH_SECONDS: value },
			/FRESH_SECONDS.*0 to 60/,
		]),
	])("%s", async (_, vars, message) => {
		const user = uuid();
		const { cookie } = await signIn(user);
		const chat = await insertChat(user);
		const { calls, ...bindings } = watchBindings();
		const response = await requestWith({ ...bindings, ...vars }, runsPath(chat), { headers: { cookie } });
		expect(response.status).toBe(500);
		expect(await response.text()).not.toMatch(/SECRET|PREFIX|wrangler|configur/i);
		expect(calls).toEqual({ kv: [], d1: [] });
		expect(logged("error")[0].error).toMatch(message);
	});
});

describe("a bug", () => {
	it.each([
		["an Error", new TypeError("Cannot read properties of undefined (reading 'hunter2')")],
		["an Error with a status", Object.assign(new Error("hunter2"), { status: 418 })],
	])("is a 500 that says nothing of it, and a line that says all: %s", async (_, thrown) => {
		const broken = new Hono<AppEnv>().use(requestId(), openScope).onError(onError);
		broken.get("/", () => {
			throw thrown;
		});
		const response = await broken.request("/", {}, env, createExecutionContext());
		expect(response.status).toBe(500);
		const requestIdSent = response.headers.get("x-request-id");
		expect(await response.json()).toEqual({
			error: "Internal Server Error",
			code: "INTERNAL_ERROR",
			message: "Something went wrong on our side",
			requestId: requestIdSent,
		});
		expect(logged("error")).toEqual([
			{ level: "error", requestId: requestIdSent, event: "error", code: "INTERNAL_ERROR", error: thrown.stack },
		]);
	});

	it("in a binding is one too", async () => {
		const { cookie } = await signIn(uuid());
		const response = await requestWith({ SESSIONS: undefined }, runsPath(uuid()), { headers: { cookie } });
		expect(response.status).toBeGreaterThanOrEqual(500);
		expect(await response.text()).not.toMatch(/undefined|SESSIONS|TypeError/);
	});
});
