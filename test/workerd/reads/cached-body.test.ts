import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { insertChat, insertRuns, requestWith, runsPath, signIn, uuid } from "../helpers.ts";
import { age, type KeptHistory, keep, keptHistory } from "./kept.ts";

/* How the body of a kept history gets to the client: unread where it can, and never a part for the whole. */

let errors: string[] = [];

beforeEach(() => {
	errors = [];
	vi.spyOn(console, "error").mockImplementation((line) => errors.push(line));
});
afterEach(() => {
	vi.restoreAllMocks();
});

/** Newer than whatever D1 has. */
const NEWER = "ffffffff-ffffffff-ffffffff-ffffffffffffffffffffffffffffffff";

const SMALL = 3;
/** Over 128 KiB of list. */
const LARGE = 400;

async function ownChat(runs: number) {
	const user = uuid();
	const { cookie } = await signIn(user);
	const chat = await insertChat(user);
	await insertRuns(chat, Array(runs).fill({ steps: JSON.stringify([step("a"), step("b")]) }));
	const ask = (headers: Record<string, string> = {}, method = "GET", query = "") =>
		requestWith({ FRESH_SECONDS: 60 }, runsPath(chat) + query, { method, headers: { cookie, ...headers } });
	return { chat, cookie, ask };
}

const step = (id: string) => ({
	id,
	status: "pending",
	startedAt: null,
	completedAt: null,
	name: "A step of some length",
});

/** What becomes of a kept body. */
interface Body {
	read: boolean;
	cancelled: boolean;
}

/** Has the cache give its entries with a body of these bytes, in two parts, and watches what becomes of it. */
function serveBody(bytes: (whole: Uint8Array) => Uint8Array, { error = false } = {}): Body {
	const real = caches.open.bind(caches);
	const seen: Body = { read: false, cancelled: false };
	vi.spyOn(caches, "open").mockImplementation(async (name) => {
		const cache = await real(name);
		const match = async (key: string) => {
			const found = await cache.match(key);
			if (!found) return undefined;
			const body = bytes(new Uint8Array(await found.arrayBuffer()));
			const parts = [body.subarray(0, 100), body.subarray(100)];
			const stream = new ReadableStream<Uint8Array>(
				{
					pull(controller) {
						seen.read = true;
						const part = parts.shift();
						if (part?.byteLength) controller.enqueue(part);
						else if (error) controller.error(new Error("the cache broke off"));
						else controller.close();
					},
					cancel() {
						seen.cancelled = true;
					},
				},
				{ highWaterMark: 0 },
			);
			return new Response(stream, { headers: found.headers });
		};
		return { match, put: cache.put.bind(cache), delete: cache.delete.bind(cache) } as unknown as Cache;
	});
	return seen;
}

const whole = (body: Uint8Array) => body;
const cut = (body: Uint8Array) => body.subarray(0, body.byteLength - 10);

describe.each([
	["a small", SMALL],
	["a large", LARGE],
])("%s list", (_, runs) => {
	it("is passed on as it is", async () => {
		const { ask } = await ownChat(runs);
		const first = await (await ask()).text();
		for (let i = 0; i < 3; i++) {
			const next = await ask();
			expect(next.headers.get("cache-status")).toBe("edge-runs; hit");
			expect((await next.text()) === first).toBe(true);
		}
	});

	it.each([
		["a 304", "GET", 304],
		["HEAD", "HEAD", 200],
	])("is not read for %s", async (__, method, status) => {
		const { chat, ask } = await ownChat(runs);
		const etag = (await ask()).headers.get("etag") as string;
		for (const checked of [0, 59]) {
			await age(chat, { checked });
			const body = serveBody(whole);
			const answer = await ask(method === "GET" ? { "if-none-match": etag } : {}, method);
			expect([answer.status, answer.headers.get("etag"), body]).toEqual([
				status,
				etag,
				{ read: false, cancelled: true },
			]);
			vi.restoreAllMocks();
		}
	});

	it("is not read for a stranger", async () => {
		const { chat, ask } = await ownChat(runs);
		await ask();
		const body = serveBody(whole);
		const { cookie } = await signIn(uuid());
		expect((await ask({ cookie })).status).toBe(403);
		expect(body).toEqual({ read: false, cancelled: true });
		expect(await keptHistory(chat)).not.toBeNull();
	});

	it.each([
		["cut short", cut, {}],
		["broken off", cut, { error: true }],
		["too long", (body: Uint8Array) => new Uint8Array([...body, 32]), {}],
		["empty", () => new Uint8Array(), {}],
	])("is read from D1 if the kept one is %s, which is logged and forgotten", async (__, bytes, how) => {
		const { chat, ask } = await ownChat(runs);
		const first = await (await ask()).text();
		serveBody(bytes, how);
		const next = await ask();
		expect([next.status, next.headers.get("cache-status")]).toEqual([200, "edge-runs; fwd=miss; stored"]);
		expect((await next.text()) === first).toBe(true);
		expect(errors.map((line) => JSON.parse(line))).toMatchObject([{ event: "cache", doing: "read" }]);
		vi.restoreAllMocks();
		expect((await keptHistory(chat))?.body.byteLength).toBe(new TextEncoder().encode(first).byteLength);
	});
});

describe("a client that has the body of what this isolate found", () => {
	async function found() {
		const owned = await ownChat(SMALL);
		await owned.ask();
		const etag = (await owned.ask()).headers.get("etag") as string;
		return { ...owned, etag, looks: vi.spyOn(caches, "open") };
	}

	it.each([
		["GET", 304],
		["HEAD", 200],
	])("is answered without a look into the cache, for %s", async (method, status) => {
		const { ask, etag, looks } = await found();
		const answer = await ask({ "if-none-match": method === "GET" ? etag : '"another"' }, method);
		expect([answer.status, answer.headers.get("etag"), answer.headers.get("cache-status")]).toEqual([
			status,
			etag,
			"edge-runs; hit",
		]);
		expect(looks).not.toHaveBeenCalled();
	});

	it("is refused where it is not the owner's, as D1 says", async () => {
		const { ask, etag } = await found();
		const { cookie } = await signIn(uuid());
		expect((await ask({ cookie, "if-none-match": etag })).status).toBe(403);
	});

	it.each([
		["has another body", {}, { "if-none-match": '"another"' }],
		["asks behind the fresh window", { FRESH_SECONDS: 0 }, {}],
		["has a newer bookmark", {}, { "x-d1-bookmark": NEWER }],
	])("is answered from the cache or D1 if it %s", async (_, vars, headers) => {
		const { chat, cookie, etag, looks } = await found();
		const known = { cookie, "if-none-match": etag };
		const bindings = { FRESH_SECONDS: 60, ...vars };
		const answer = await requestWith(bindings, runsPath(chat), { headers: { ...known, ...headers } });
		expect(answer.headers.get("etag")).toBe(etag);
		expect(looks).toHaveBeenCalled();
	});

	it("gets nothing once this isolate has seen that the chat is deleted", async () => {
		const { chat, ask, etag } = await found();
		await env.DB.prepare("update chats set deleted_at = created_at where id = ?").bind(chat).run();
		expect((await ask({ "if-none-match": etag, "x-d1-bookmark": NEWER })).status).toBe(404);
		expect((await ask({ "if-none-match": etag })).status).toBe(404);
	});
});

describe("a large list that was whole when it was read", () => {
	async function readOnce() {
		const owned = await ownChat(LARGE);
		for (let i = 0; i < 2; i++) await (await owned.ask()).text();
		return owned;
	}

	it("is passed on unread from then on", async () => {
		const { ask } = await readOnce();
		const body = serveBody(whole);
		const answer = await ask();
		expect((await answer.json<{ data: { workflowRuns: unknown[] } }>()).data.workflowRuns).toHaveLength(LARGE);
		expect(body).toEqual({ read: true, cancelled: false });
	});

	it.each([
		["is cut short", {}],
		["breaks off", { error: true }],
	])("ends in an error for the client if it %s later, never as a shorter list", async (_, how) => {
		const { ask } = await readOnce();
		serveBody(cut, how);
		// `ask` reads the body.
		await expect(ask()).rejects.toThrow(/did not see all expected bytes|broke off/);
	});

	it("is replaced within a minute, if it is", async () => {
		const { chat, ask } = await readOnce();
		await age(chat, { read: 60, checked: 60 });
		serveBody(cut);
		const answer = await ask();
		expect(answer.headers.get("cache-status")).toBe("edge-runs; fwd=miss; stored");
		await answer.json();
	});

	it("is not taken for another version of itself", async () => {
		const { chat, ask } = await readOnce();
		const kept = (await keptHistory(chat)) as KeptHistory;
		await keep(chat, { ...kept, etag: '"another"' });
		serveBody(cut);
		const answer = await ask();
		expect(answer.headers.get("cache-status")).toBe("edge-runs; fwd=miss; stored");
		await answer.json();
	});
});

it("filters and pages come from D1 if the kept list is cut short", async () => {
	const { ask } = await ownChat(SMALL);
	await ask();
	serveBody(cut);
	const page = await ask({}, "GET", "?limit=2");
	expect([page.status, page.headers.get("cache-status")]).toEqual([200, "edge-runs; fwd=bypass"]);
	expect((await page.json<{ data: { workflowRuns: unknown[] } }>()).data.workflowRuns).toHaveLength(2);
});
