import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { BOOKMARK } from "../../../src/db/bookmark.ts";
import { insertChat, insertRuns, requestWith, runsPath, signIn, uuid } from "../helpers.ts";
import { putRun, report } from "../recording/recorder.ts";
import { type Hooks, type Query, watchBindings } from "../watch-bindings.ts";
import { age, type KeptHistory, keptHistory, keyOf } from "./kept.ts";

afterEach(() => {
	vi.restoreAllMocks();
});

interface Chat {
	chat: string;
	user: string;
	cookie: string;
	runs: string[];
}

async function ownChat(runs = 3): Promise<Chat> {
	const user = uuid();
	const { cookie } = await signIn(user);
	const chat = await insertChat(user);
	return { chat, user, cookie, runs: await insertRuns(chat, Array(runs).fill({})) };
}

/** Reads a chat's list, and tells how the edge cache took part and what D1 was asked. */
async function read({ chat, cookie }: Chat, headers: Record<string, string> = {}, hooks: Hooks = {}, query = "") {
	const { calls, ...bindings } = watchBindings(hooks);
	const response = await requestWith(bindings, runsPath(chat) + query, { headers: { cookie, ...headers } });
	const text = await response.text();
	return {
		status: response.status,
		text,
		header: (name: string) => response.headers.get(name),
		cache: response.headers.get("cache-status"),
		roundTrips: calls.d1.length,
		queries: calls.d1[0] ?? [],
	};
}

/** What such queries read, asked again. */
async function rowsRead(queries: Query[]): Promise<number> {
	const results = await env.DB.batch(queries.map(({ sql, params }) => env.DB.prepare(sql).bind(...params)));
	return results.reduce((sum, { meta }) => sum + meta.rows_read, 0);
}

/** Newer than whatever D1 has. */
const INVENTED = "ffffffff-ffffffff-ffffffff-ffffffffffffffffffffffffffffffff";

/** A D1 that waits for a state that never comes where it is asked for one, and what it was asked to read from. */
function waitingD1() {
	const asked: string[] = [];
	const never = () => new Promise<never>(() => {});
	const waiting = { prepare: env.DB.prepare.bind(env.DB), batch: never, getBookmark: () => INVENTED };
	const withSession = (from: string) => {
		asked.push(from);
		return from === INVENTED ? waiting : env.DB.withSession(from);
	};
	return { DB: { withSession } as unknown as D1Database, asked };
}

const failD1: Hooks = {
	onD1: () => {
		throw new Error("D1_ERROR: Network connection lost.");
	},
};

describe("the edge cache", () => {
	it("serves a fresh copy without D1, the same bytes, and says how old it is", async () => {
		const chat = await ownChat();
		const first = await read(chat);
		expect(first).toMatchObject({ cache: "edge-runs; fwd=miss; stored", roundTrips: 1 });
		expect(first.header("age")).toBeNull();
		const second = await read(chat);
		expect(second).toMatchObject({ cache: "edge-runs; hit", roundTrips: 0, text: first.text });
		expect(second.header("age")).toMatch(/^[01]$/);
		expect(second.header("etag")).toBe(first.header("etag"));
	});

	it("asks D1 whether the copy is still right once it is no longer fresh, for one row read instead of all", async () => {
		const chat = await ownChat(50);
		const first = await read(chat);
		// The chat and its runs; and one more where another chat's stand behind them in the index.
		expect([51, 52]).toContain(await rowsRead(first.queries));
		await age(chat.chat, { checked: 2 });
		const second = await read(chat);
		expect(second).toMatchObject({ cache: "edge-runs; fwd=stale; fwd-status=304", roundTrips: 1, text: first.text });
		expect(await rowsRead(second.queries)).toBeLessThanOrEqual(1);
		// And the copy is fresh again.
		expect(await read(chat)).toMatchObject({ roundTrips: 0 });
	});

	it("reads again what has changed", async () => {
		const chat = await ownChat();
		const first = await read(chat);
		expect((await putRun(chat.chat, uuid(), report())).status).toBe(201);
		await age(chat.chat, { checked: 2 });
		const second = await read(chat);
		expect(second).toMatchObject({ cache: "edge-runs; fwd=miss; stored", roundTrips: 1 });
		expect(JSON.parse(second.text).data.workflowRuns).toHaveLength(4);
		expect(second.header("etag")).not.toBe(first.header("etag"));
	});

	it("shows a write behind the service's back once the copy is a minute old, to clients with the old ETag too", async () => {
		const chat = await ownChat();
		const first = await read(chat);
		await env.DB.prepare("update workflow_runs set status = 'failed' where id = ?").bind(chat.runs[0]).run();
		const known = { "if-none-match": first.header("etag") as string };
		await age(chat.chat, { checked: 59, read: 59 });
		expect(await read(chat, known)).toMatchObject({ status: 304 });
		await age(chat.chat, { checked: 2, read: 2 });
		const second = await read(chat, known);
		expect(second).toMatchObject({ status: 200, cache: "edge-runs; fwd=miss; stored" });
		expect(second.text).toContain('"failed"');
	});

	it("is skipped by a bookmark: who wrote reads the write, inside the fresh window", async () => {
		const chat = await ownChat();
		await read(chat);
		const put = await putRun(chat.chat, uuid(), report());
		const bookmark = put.headers.get("x-d1-bookmark") as string;
		expect(bookmark).toBeTruthy();
		const second = await read(chat, { "x-d1-bookmark": bookmark });
		expect(JSON.parse(second.text).data.workflowRuns).toHaveLength(4);
		expect(second.header("x-d1-bookmark")).toBeTruthy();
	});

	it.each(["garbage", "", "0", "00000085-0000024c-00004c6d", "first-primary", "z".repeat(5000)])(
		"refuses the malformed bookmark %j by name",
		async (bookmark) => {
			const { status, text } = await read(await ownChat(), { "x-d1-bookmark": bookmark });
			// An empty header is none.
			if (bookmark === "") return expect([200, 400]).toContain(status);
			expect(status).toBe(400);
			expect(JSON.parse(text).message).toMatch(/^x-d1-bookmark: /);
		},
	);

	it("never makes D1 wait for a caller's bookmark, which may be invented", async () => {
		const chat = await ownChat();
		for (const setUp of [() => {}, () => age(chat.chat, { checked: 2 })]) {
			await setUp();
			const { DB, asked } = waitingD1();
			const headers = { cookie: chat.cookie, "x-d1-bookmark": INVENTED };
			for (const path of ["", "?limit=1", `/${chat.runs[0]}`]) {
				expect((await requestWith({ DB }, runsPath(chat.chat) + path, { headers })).status).toBe(200);
			}
			expect(new Set(asked)).toEqual(new Set(["first-primary"]));
		}
	});

	it("keeps D1's bookmark, not a caller's, so that nobody else waits for an invented one", async () => {
		const chat = await ownChat();
		expect(await read(chat, { "x-d1-bookmark": INVENTED })).toMatchObject({ status: 200, roundTrips: 1 });
		const kept = await keptHistory(chat.chat);
		expect(kept?.bookmark).toMatch(BOOKMARK);
		expect(kept?.bookmark).not.toBe(INVENTED);
		await age(chat.chat, { checked: 2 });
		const { DB, asked } = waitingD1();
		const next = await requestWith({ DB }, runsPath(chat.chat), { headers: { cookie: chat.cookie } });
		expect([next.status, asked]).toEqual([200, [kept?.bookmark]]);
	});

	it("is a hit for a bookmark that the copy includes", async () => {
		const chat = await ownChat();
		const first = await read(chat);
		const bookmark = first.header("x-d1-bookmark") as string;
		expect(await read(chat, { "x-d1-bookmark": bookmark })).toMatchObject({ cache: "edge-runs; hit", roundTrips: 0 });
	});

	it("asks the primary once if D1 does not know the copy's bookmark", async () => {
		const chat = await ownChat();
		await read(chat);
		await age(chat.chat, { checked: 2 });
		let asked = 0;
		const failOnce: Hooks = {
			onD1: () => {
				asked += 1;
				if (asked === 1) throw new Error("D1_ERROR: unknown bookmark");
			},
		};
		expect(await read(chat, {}, failOnce)).toMatchObject({ status: 200, roundTrips: 2 });
	});

	it.each([
		["D1_ERROR: D1 DB is overloaded. Requests queued for too long."],
		["D1_ERROR: D1 DB is overloaded. Too many requests queued."],
		["D1_ERROR: D1 DB storage operation exceeded timeout which caused object to be reset."],
		["D1_ERROR: D1 DB exceeded its CPU time limit and was reset."],
	])("does not ask an overloaded D1 again: %s", async (message) => {
		const chat = await ownChat();
		await read(chat);
		await age(chat.chat, { checked: 2 });
		const overloaded: Hooks = {
			onD1: () => {
				throw new Error(message);
			},
		};
		const answer = await read(chat, {}, overloaded);
		expect(answer).toMatchObject({ status: 200, roundTrips: 1 });
		expect(answer.cache).toContain("stale-if-error");
	});

	it("does not step back if a slow read ends after a newer one", async () => {
		const chat = await ownChat();
		const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
		const { promise: isRead, resolve: hasRead } = Promise.withResolvers<void>();
		// It has read three runs, and hears of it only when a fourth was stored, read and kept.
		const slow = read(
			chat,
			{},
			{
				afterD1: () => {
					hasRead();
					return answered;
				},
			},
		);
		await isRead;
		expect((await putRun(chat.chat, uuid(), report())).status).toBe(201);
		expect(JSON.parse((await read(chat)).text).data.workflowRuns).toHaveLength(4);
		answer();
		expect(JSON.parse((await slow).text).data.workflowRuns).toHaveLength(3);
		const next = await read(chat);
		expect(next).toMatchObject({ cache: "edge-runs; hit", roundTrips: 0 });
		expect(JSON.parse(next.text).data.workflowRuns).toHaveLength(4);
	});

	it.each([
		["STALE_IF_ERROR_SECONDS=0", { STALE_IF_ERROR_SECONDS: 0 }, "hit"],
		["FRESH_SECONDS=0", { FRESH_SECONDS: 0 }, "fwd=stale; fwd-status=304"],
		["both 0", { STALE_IF_ERROR_SECONDS: 0, FRESH_SECONDS: 0 }, "fwd=stale; fwd-status=304"],
	])("keeps a copy, whatever the settings: %s", async (_, vars, use) => {
		const { chat, cookie } = await ownChat();
		const ask = () => requestWith(vars, runsPath(chat), { headers: { cookie } });
		expect((await ask()).headers.get("cache-status")).toBe("edge-runs; fwd=miss; stored");
		expect((await ask()).headers.get("cache-status")).toBe(`edge-runs; ${use}`);
	});

	it("keeps it under the service's own host, in a cache that no fetch reads, at an address without a route", async () => {
		const chat = await ownChat();
		await read(chat);
		expect(new URL(keyOf(chat.chat)).host).toBe("edge-runs.test");
		expect(await (await caches.open("edge-runs-history")).match(keyOf(chat.chat))).toBeTruthy();
		expect(await caches.default.match(keyOf(chat.chat))).toBeUndefined();
		const { pathname } = new URL(keyOf(chat.chat));
		const { status, headers } = await requestWith({}, pathname, { headers: { cookie: chat.cookie } });
		expect([status, headers.get("cache-control")]).toEqual([404, "no-store"]);
	});

	it("does not keep an answer to a stranger, with a stranger's bookmark", async () => {
		const chat = await ownChat();
		const { cookie } = await signIn(uuid());
		expect((await read({ ...chat, cookie }, { "x-d1-bookmark": INVENTED })).status).toBe(403);
		expect(await keptHistory(chat.chat)).toBeNull();
	});

	it("has only the chat of a request in its key", async () => {
		const chat = await ownChat();
		await read(chat, { "accept-language": "de", range: "bytes=0-3" }, {}, "?unknown=1");
		const second = await read(
			chat,
			{ range: "bytes=0-3", "if-modified-since": new Date().toUTCString() },
			{},
			"?other=2",
		);
		expect(second).toMatchObject({ status: 200, cache: "edge-runs; hit" });
		expect(JSON.parse(second.text).data.workflowRuns).toHaveLength(3);
	});
});

describe("a copy's owner", () => {
	it("is checked on a hit, too: strangers get 403, even with the owner's ETag", async () => {
		const chat = await ownChat();
		const { header } = await read(chat);
		const stranger = { ...chat, cookie: (await signIn(uuid())).cookie };
		const refused = await read(stranger);
		expect(refused).toMatchObject({ status: 403, roundTrips: 1 });
		expect(await rowsRead(refused.queries)).toBeLessThanOrEqual(1);
		for (const etag of [header("etag") as string, "*"]) {
			const refused = await read(stranger, { "if-none-match": etag });
			expect(refused.status).toBe(403);
			expect(refused.header("etag")).toBeNull();
		}
	});

	it("is read from D1 before anybody is refused: a new owner need not wait for the end of the fresh window", async () => {
		const chat = await ownChat();
		await read(chat);
		const heir = { ...chat, cookie: (await signIn(uuid())).cookie };
		expect((await read(heir)).status).toBe(403);
		const user = uuid();
		await env.DB.prepare("update chats set user_id = ? where id = ?").bind(user, chat.chat).run();
		expect(await read({ ...chat, cookie: (await signIn(user)).cookie })).toMatchObject({ status: 200, roundTrips: 1 });
		expect(await read(chat)).toMatchObject({ status: 403 });
	});

	it("is read from D1, not from the copy, after the fresh window", async () => {
		const chat = await ownChat();
		await read(chat);
		const heir = uuid();
		await env.DB.prepare("update chats set user_id = ? where id = ?").bind(heir, chat.chat).run();
		await age(chat.chat, { checked: 2 });
		expect((await read(chat)).status).toBe(403);
		expect((await read({ ...chat, cookie: (await signIn(heir)).cookie })).status).toBe(200);
		expect((await read(chat)).status).toBe(403);
	});

	it("has no copy of a deleted chat, beyond the fresh window", async () => {
		const chat = await ownChat();
		await read(chat);
		await env.DB.prepare("update chats set deleted_at = '2024-02-04T12:00:00.000Z' where id = ?").bind(chat.chat).run();
		await age(chat.chat, { checked: 2 });
		expect((await read(chat)).status).toBe(404);
		expect(await keptHistory(chat.chat)).toBeNull();
		expect(await read(chat, {}, failD1)).toMatchObject({ status: 503 });
	});
});

describe("through a D1 outage", () => {
	it("owners get the last known history, marked as stale with its age; strangers still 403", async () => {
		const chat = await ownChat();
		const first = await read(chat);
		await age(chat.chat, { checked: 3000, read: 3000 });
		const second = await read(chat, {}, failD1);
		expect(second).toMatchObject({ status: 200, text: first.text });
		expect(second.cache).toBe("edge-runs; fwd=stale; fwd-status=503; detail=stale-if-error");
		expect(Number(second.header("age"))).toBeGreaterThanOrEqual(3000);
		const stranger = { ...chat, cookie: (await signIn(uuid())).cookie };
		expect((await read(stranger, {}, failD1)).status).toBe(403);
	});

	it.each([
		["with nothing cached", undefined],
		["with a copy of more than an hour", 3601],
	])("%s it is a 503 with Retry-After", async (_, checked) => {
		const chat = await ownChat();
		if (checked !== undefined) {
			await read(chat);
			await age(chat.chat, { checked });
		}
		const failed = await read(chat, {}, failD1);
		expect(failed.status).toBe(503);
		expect(failed.header("retry-after")).toMatch(/^\d+$/);
		expect(await read(chat)).toMatchObject({ status: 200 });
	});

	it("a D1 that hangs is given up after the deadline", async () => {
		const chat = await ownChat();
		await read(chat);
		await age(chat.chat, { checked: 2 });
		const { calls: _, ...bindings } = watchBindings({ onD1: () => new Promise(() => {}) });
		const impatient = { ...bindings, STORE_TIMEOUT_SECONDS: "0.5" };
		const stale = await requestWith(impatient, runsPath(chat.chat), { headers: { cookie: chat.cookie } });
		expect([stale.status, stale.headers.get("cache-status")]).toEqual([200, expect.stringContaining("stale-if-error")]);
	});
});

describe("a cache that is not what it should be", () => {
	const broken: [string, () => unknown][] = [
		["throws at once", () => vi.spyOn(caches, "open").mockRejectedValue(new Error("no cache here"))],
		[
			"does nothing",
			() =>
				vi.spyOn(caches, "open").mockResolvedValue({
					match: async () => undefined,
					put: async () => undefined,
					delete: async () => false,
				} as unknown as Cache),
		],
		[
			"throws on match and put",
			() =>
				vi.spyOn(caches, "open").mockResolvedValue({
					match: () => Promise.reject(new Error("match failed")),
					put: () => Promise.reject(new Error("put failed")),
				} as unknown as Cache),
		],
	];
	it.each(broken)("and %s only costs speed", async (_, breakIt) => {
		const chat = await ownChat();
		breakIt();
		for (let i = 0; i < 2; i++) expect(await read(chat)).toMatchObject({ status: 200, roundTrips: 1 });
	});

	it("is not believed where an entry is cut short, another chat's, or not an entry at all", async () => {
		const other = await ownChat();
		await read(other);
		const entry = (await keptHistory(other.chat)) as KeptHistory;
		const cache = await caches.open("edge-runs-history");
		const whole = (await cache.match(keyOf(other.chat))) as Response;
		const meta = whole.headers.get("x-history") as string;
		const headers = (value: string) => ({ "cache-control": "max-age=3600", "x-history": value });
		const made: ((chat: string) => Response)[] = [
			() => new Response(entry.body, { headers: headers(meta) }),
			(chat) => new Response(entry.body.slice(0, 50), { headers: headers(meta.replaceAll(other.chat, chat)) }),
			() => new Response("not ours", { headers: headers("not%20json") }),
			() => new Response("not ours", { headers: headers("%") }),
			() => new Response("not ours", { headers: { "cache-control": "max-age=3600" } }),
			() => new Response("not ours", { headers: headers("null") }),
		];
		for (const make of made) {
			const chat = await ownChat(2);
			await cache.put(keyOf(chat.chat), make(chat.chat));
			const answer = await read(chat);
			expect(answer).toMatchObject({ status: 200, roundTrips: 1 });
			expect(JSON.parse(answer.text).data.workflowRuns.map((run: { chatId: string }) => run.chatId)).toEqual([
				chat.chat,
				chat.chat,
			]);
		}
	});
});

describe("If-None-Match", () => {
	it.each([
		["the tag", (etag: string) => etag, 304],
		["a weak tag", (etag: string) => `W/${etag}`, 304],
		["a list", (etag: string) => `"one", W/"two" , ${etag}`, 304],
		["any", () => "*", 304],
		["another tag", () => '"other"', 200],
		["the tag without quotes", (etag: string) => etag.slice(1, -1), 200],
		["a tag that holds the tag", (etag: string) => `"x,${etag.slice(1)}`, 200],
	])("with %s", async (_, make, status) => {
		const chat = await ownChat();
		const first = await read(chat);
		const etag = first.header("etag") as string;
		const second = await read(chat, { "if-none-match": make(etag) });
		expect(second).toMatchObject({ status, text: status === 304 ? "" : first.text });
		expect(second.header("etag")).toBe(etag);
		expect(second.header("cache-control")).toBe("private, no-cache");
	});

	it("answers for pages and single runs too", async () => {
		const chat = await ownChat();
		for (const query of ["?limit=1", `/${chat.runs[0]}`]) {
			const first = await read(chat, {}, {}, query);
			const known = { "if-none-match": first.header("etag") as string };
			expect(await read(chat, known, {}, query)).toMatchObject({ status: 304, text: "" });
		}
	});
});

it("says by Server-Timing where the time went", async () => {
	const chat = await ownChat();
	expect((await read(chat)).header("server-timing")).toMatch(/^kv;dur=\d+, d1;dur=\d+$/);
	expect((await read(chat)).header("server-timing")).toMatch(/^kv;dur=\d+$/);
});
