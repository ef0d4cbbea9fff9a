import { beforeAll, describe, expect, it } from "vitest";
import { insertChat, insertRuns, requestWith, runsPath, signIn, uuid } from "../helpers.ts";
import { recording } from "../recording/recorder.ts";

const APP = "https://app.example.com";
const ADMIN = "http://localhost:5173";
const ALLOWED_ORIGINS = ` ${APP}, ${ADMIN}`;
const EXPOSED = ["etag", "x-request-id", "x-d1-bookmark", "retry-after", "cache-status", "age", "server-timing"];

let chat: string;
let cookie: string;
beforeAll(async () => {
	const user = uuid();
	({ cookie } = await signIn(user));
	chat = await insertChat(user);
	await insertRuns(chat, [{}]);
});

interface Sent {
	method?: string;
	path?: string;
	headers?: Record<string, string>;
	allowed?: string | undefined;
}

function ask(origin: string | null, { method = "GET", path = runsPath(chat), headers = {}, ...vars }: Sent = {}) {
	const { allowed = ALLOWED_ORIGINS } = vars;
	const sent = { cookie, ...headers, ...(origin !== null && { origin }) };
	return requestWith({ ALLOWED_ORIGINS: "allowed" in vars ? vars.allowed : allowed }, path, { method, headers: sent });
}

const corsHeaders = (response: Response) =>
	[...response.headers.keys()].filter((name) => name.startsWith("access-control-"));
const list = (value: string | null) => (value ?? "").toLowerCase().split(/\s*,\s*/);

/** Answers of every kind, by what is asked for. */
const ANSWERS: [string, number, () => Sent][] = [
	["200", 200, () => ({})],
	["304", 304, () => ({ headers: { "if-none-match": "*" } })],
	["HEAD", 200, () => ({ method: "HEAD" })],
	["a stream", 200, () => ({ path: `${runsPath(chat)}/stream` })],
	["400", 400, () => ({ path: runsPath("x") })],
	["401", 401, () => ({ headers: { cookie: "" } })],
	["404", 404, () => ({ path: runsPath(uuid()) })],
	["no route", 404, () => ({ path: "/api/nothing-here" })],
	["405", 405, () => ({ method: "POST" })],
	["a write that is refused", 401, () => ({ method: "DELETE", path: `/api/chats/${chat}` })],
	["health", 200, () => ({ path: "/api/health" })],
	["the OpenAPI document", 200, () => ({ path: "/api/openapi.json" })],
];

describe("a page of an allowed origin", () => {
	it.each(ANSWERS)("may read what it is answered, errors too: %s", async (_, status, sent) => {
		for (const origin of [APP, ADMIN]) {
			const response = await ask(origin, sent());
			await response.body?.cancel();
			expect(response.status).toBe(status);
			expect(response.headers.get("access-control-allow-origin")).toBe(origin);
			expect(response.headers.get("access-control-allow-credentials")).toBe("true");
			expect(list(response.headers.get("access-control-expose-headers"))).toEqual(expect.arrayContaining(EXPOSED));
			expect(list(response.headers.get("vary"))).toContain("origin");
		}
	});

	it("may read with its user's cookie or a read token and our headers, by a preflight that is kept", async () => {
		const asked = "authorization,content-type,if-none-match,last-event-id,x-d1-bookmark,x-request-id";
		const response = await ask(APP, {
			method: "OPTIONS",
			headers: { cookie: "", "access-control-request-method": "GET", "access-control-request-headers": asked },
		});
		expect([response.status, await response.text()]).toEqual([204, ""]);
		expect(response.headers.get("access-control-allow-origin")).toBe(APP);
		expect(response.headers.get("access-control-allow-credentials")).toBe("true");
		expect(list(response.headers.get("access-control-allow-headers"))).toEqual(
			expect.arrayContaining(asked.split(",")),
		);
		expect(Number(response.headers.get("access-control-max-age"))).toBeGreaterThanOrEqual(600);
		expect(list(response.headers.get("vary"))).toContain("origin");
	});

	it("may not write: that is for recorders, who are no browsers", async () => {
		const response = await ask(APP, {
			method: "OPTIONS",
			path: `/api/chats/${chat}`,
			headers: { "access-control-request-method": "PUT", "access-control-request-headers": "authorization" },
		});
		expect(list(response.headers.get("access-control-allow-methods")).sort()).toEqual(["get", "head"]);
	});
});

describe("a page of any other origin", () => {
	it.each([
		"https://evil.example",
		"null",
		"https://app.example.com.evil.example",
		"https://evil-app.example.com",
		"https://app.example.com:8443",
		"http://app.example.com",
		"https://APP.example.com",
		"https://app.example.com/",
		"https://app.example.com, https://evil.example",
		"https://example.com",
		"https://app.example.com@evil.example",
		"https://app.example.com%00",
		"*",
		"",
		"file://",
	])("may not read: %s", async (origin) => {
		const response = await ask(origin);
		expect(response.headers.get("access-control-allow-origin")).toBeNull();
		// Or what a cache kept for this one could be served to an allowed one.
		expect(list(response.headers.get("vary"))).toContain("origin");
		const preflight = await ask(origin, { method: "OPTIONS", headers: { "access-control-request-method": "GET" } });
		expect(preflight.headers.get("access-control-allow-origin")).toBeNull();
	});

	it("nor one that does not say: Vary names Origin all the same", async () => {
		const response = await ask(null);
		expect(response.headers.get("access-control-allow-origin")).toBeNull();
		expect(list(response.headers.get("vary"))).toContain("origin");
	});
});

describe("without ALLOWED_ORIGINS", () => {
	it.each([
		["unset", undefined],
		["empty", ""],
		["commas", " , ,"],
	])("no page of another origin may read: %s", async (_, allowed) => {
		const get = await ask(APP, { allowed });
		expect([get.status, corsHeaders(get), get.headers.get("vary")]).toEqual([200, [], null]);
		const headers = { "access-control-request-method": "GET" };
		const preflight = await ask(APP, { allowed, method: "OPTIONS", headers });
		expect([preflight.status, corsHeaders(preflight)]).toEqual([405, []]);
	});

	it.each([
		"*",
		"app.example.com",
		"https://app.example.com/",
		"https://app.example.com/path",
		"https://*.example.com",
		"null",
	])("or with one that is no origin, none may: %s", async (allowed) => {
		const response = await ask(APP, { allowed });
		expect([response.status, corsHeaders(response)]).toEqual([500, []]);
	});
});

describe("every answer of the API", () => {
	it.each(ANSWERS)(
		"is for programs alone: never sniffed, framed, run or sent on to others: %s",
		async (_, status, sent) => {
			const { headers, status: answered, body } = await ask(null, sent());
			await body?.cancel();
			expect(answered).toBe(status);
			expect(headers.get("x-content-type-options")).toBe("nosniff");
			expect(headers.get("content-security-policy")).toBe("default-src 'none'; frame-ancestors 'none'");
			expect(headers.get("x-frame-options")).toBe("DENY");
			expect(headers.get("referrer-policy")).toBe("no-referrer");
			expect(headers.get("strict-transport-security")).toMatch(/max-age=\d{8}/);
			expect(headers.get("cross-origin-resource-policy")).toBe("same-origin");
			expect(headers.get("set-cookie")).toBeNull();
		},
	);

	it("those to a recorder too", async () => {
		const registered = await requestWith({}, `/api/chats/${uuid()}`, recording("PUT", { userId: "somebody" }));
		expect([registered.status, registered.headers.get("x-content-type-options")]).toEqual([201, "nosniff"]);
		const deleted = await requestWith({}, `/api/chats/${chat}`, recording("DELETE"));
		expect([deleted.status, deleted.headers.get("x-content-type-options")]).toEqual([204, "nosniff"]);
	});
});

it("what is no part of the API is never sniffed either", async () => {
	for (const path of ["/", "/favicon.ico", `/chats/${chat}`, "/nothing/here"]) {
		expect((await ask(null, { path })).headers.get("x-content-type-options")).toBe("nosniff");
	}
});
