import { beforeAll, describe, expect, it } from "vitest";
import { insertChat, insertRuns, request, runsPath, signIn, uuid } from "../helpers.ts";

const user = uuid();
let chat: string;
let headers: { cookie: string };

beforeAll(async () => {
	const { cookie } = await signIn(user);
	headers = { cookie };
	chat = await insertChat(user);
	await insertRuns(chat, [{}]);
});

describe("HEAD", () => {
	it("answers like GET, without the body", async () => {
		const get = await request(runsPath(chat), { headers });
		const head = await request(runsPath(chat), { method: "HEAD", headers });
		expect(head.status).toBe(200);
		expect(await head.text()).toBe("");
		for (const name of ["content-type", "cache-control", "etag"]) {
			expect(head.headers.get(name)).toBe(get.headers.get(name));
		}
	});

	it("is refused like GET", async () => {
		for (const [path, status] of [
			[runsPath(uuid()), 404],
			[runsPath("x"), 400],
		] as const) {
			const head = await request(path, { method: "HEAD", headers });
			expect([head.status, await head.text()]).toEqual([status, ""]);
		}
		expect((await request(runsPath(chat), { method: "HEAD" })).status).toBe(401);
	});
});

describe("a route that is not there", () => {
	it.each([
		"/",
		"/api",
		"/api/chats",
		"/api/runs",
		"/favicon.ico",
		"/API/chats/550e8400-e29b-41d4-a716-446655440000/workflow-runs",
		"/api/chats//workflow-runs",
		"/api/chats/550e8400-e29b-41d4-a716-446655440000/workflow-runs/1/2",
		"//api/health",
	])("is a 404: %s", async (path) => {
		const response = await request(path, { headers });
		expect(response.status).toBe(404);
		expect(response.headers.get("cache-control")).toBe("no-store");
		expect(await response.json()).toMatchObject({ error: "Not Found", code: "ROUTE_NOT_FOUND" });
	});

	it("is what a trailing slash asks for", async () => {
		for (const path of [`${runsPath(chat)}/`, "/api/health/"]) {
			expect(await (await request(path, { headers })).json()).toMatchObject({ code: "ROUTE_NOT_FOUND" });
		}
	});
});

describe("a method that a route does not have", () => {
	it.each(["POST", "DELETE", "QUERY"])("is a 405 that names those it has: %s", async (method) => {
		for (const path of [runsPath(chat), `${runsPath(chat)}/${uuid()}`, "/api/health", "/api/openapi.json"]) {
			const response = await request(path, { method });
			expect(response.status, path).toBe(405);
			expect(response.headers.get("allow")?.split(", ")).toEqual(expect.arrayContaining(["GET", "HEAD"]));
			expect(response.headers.get("allow")?.split(", ")).not.toContain(method);
			expect(await response.json()).toMatchObject({ error: "Method Not Allowed", code: "METHOD_NOT_ALLOWED" });
		}
	});
});

describe("x-request-id", () => {
	it("is new for each request", async () => {
		const [one, two] = [await request(runsPath(chat), { headers }), await request(runsPath(chat), { headers })];
		expect(one.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
		expect(one.headers.get("x-request-id")).not.toBe(two.headers.get("x-request-id"));
	});

	it("is the caller's if well formed, and stands in the error's body", async () => {
		const response = await request(runsPath("x"), { headers: { ...headers, "x-request-id": "trace-42_a" } });
		expect(response.headers.get("x-request-id")).toBe("trace-42_a");
		expect(await response.json()).toMatchObject({ requestId: "trace-42_a" });
	});

	it("is not the caller's otherwise", async () => {
		for (const id of ["a b", '"}{"', "x".repeat(256)]) {
			const response = await request("/api/health", { headers: { "x-request-id": id } });
			expect(response.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
		}
	});
});

describe("a chat id", () => {
	it("may be any RFC 9562 UUID, in any case, percent-encoded or not", async () => {
		const ids = [
			"00000000-0000-0000-0000-000000000000",
			"ffffffff-ffff-ffff-ffff-ffffffffffff",
			"c232ab00-9414-11ec-b3c8-9f6bdeced846", // version 1
			"01890a5d-ac96-774b-bcce-b302099a8057", // version 7
			"550e8400-e29b-8000-8000-00000000000a", // version 8
		];
		for (const id of ids) {
			await insertChat(user, { id });
			const encoded = id.replace("-", "%2D").replace(/.$/, (last) => `%${last.charCodeAt(0).toString(16)}`);
			for (const asked of [id, id.toUpperCase(), encoded]) {
				const response = await request(runsPath(asked), { headers });
				expect([asked, response.status]).toEqual([asked, 200]);
			}
		}
	});

	it.each([
		"1",
		"undefined",
		"550e8400e29b41d4a716446655440000",
		"{550e8400-e29b-41d4-a716-446655440000}",
		"urn:uuid:550e8400-e29b-41d4-a716-446655440000",
		"550e8400-e29b-41d4-a716-44665544000",
		"550e8400-e29b-41d4-a716-4466554400000",
		"550e8400-e29b-41d4-a716-44665544000g",
		"550e8400-e29b-41d4-c716-446655440000", // not RFC 9562's variant
		"550e8400-e29b-91d4-a716-446655440000", // no such version
		" 550e8400-e29b-41d4-a716-446655440000",
		"550e8400-e29b-41d4-a716-446655440000\n",
		"550e8400-e29b-41d4-a716-44665544000\u{ff10}", // a full-width zero
		"550e8400-e29b-41d4-a716-446655440000' or '1'='1",
		"\u0000",
		"..%2f..",
	])("is refused otherwise: %j", async (id) => {
		const response = await request(runsPath(encodeURIComponent(id)), { headers });
		expect(response.status).toBe(400);
		expect(response.headers.get("cache-control")).toBe("no-store");
		expect(await response.json()).toMatchObject({ code: "INVALID_CHAT_ID", message: "Invalid chat ID format" });
	});

	it.each(["%", "%zz", "%ff", "%c0%af"])("is refused where it is no percent-encoded UTF-8: %s", async (id) => {
		expect((await request(runsPath(id), { headers })).status).toBe(400);
	});
});
