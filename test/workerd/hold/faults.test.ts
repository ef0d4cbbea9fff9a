import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Env } from "../../../src/env.ts";
import { insertChat, insertRuns, requestWith, runsPath, signIn, uuid } from "../helpers.ts";
import { putRun, recording, report } from "../recording/recorder.ts";
import { watchBindings } from "../watch-bindings.ts";

/* Faults of stores that no other test has: see docs/faults.md for the whole table. */

const TIMEOUT = { STORE_TIMEOUT_SECONDS: 0.1 };
const never = () => new Promise<never>(() => {});

beforeEach(() => {
	vi.spyOn(console, "log").mockImplementation(() => {});
	vi.spyOn(console, "error").mockImplementation(() => {});
});
afterEach(() => {
	vi.restoreAllMocks();
});

async function ownChat() {
	const user = uuid();
	const { cookie, token } = await signIn(user);
	const chat = await insertChat(user);
	const [run] = (await insertRuns(chat, [{}])) as [string];
	return { chat, run, token, init: { headers: { cookie } } };
}

type Changed = { [K in keyof Env]?: Env[K] | undefined };

const without = ({ calls: _, ...bindings }: ReturnType<typeof watchBindings>) => ({ ...bindings, ...TIMEOUT });

/** Reads while something is wrong, sooner than by the default timeout of 5 s, and once more when it is well again. */
async function readThrough(bindings: Changed, path: (chat: string, run: string) => string, status: number) {
	const { chat, run, init } = await ownChat();
	const start = Date.now();
	const response = await requestWith(bindings, path(chat, run), init);
	expect([response.status, Date.now() - start < 4_000]).toEqual([status, true]);
	expect((await requestWith({}, path(chat, run), init)).status).toBe(200);
	return response;
}

/** Each way of reading D1. */
const READS: [string, (chat: string, run: string) => string][] = [
	["the list", runsPath],
	["a page of the list", (chat) => `${runsPath(chat)}?limit=1`],
	["one run", (chat, run) => `${runsPath(chat)}/${run}`],
	["the page for people", (chat) => `/chats/${chat}`],
];

async function expectUnavailable(response: Response): Promise<void> {
	expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
	expect(response.headers.get("cache-control")).toBe("no-store");
	expect(await response.text()).not.toMatch(/D1_ERROR|TypeError|DeadlineError|no answer within/);
}

describe.each(READS)("%s", (_, path) => {
	it("is a 503 after STORE_TIMEOUT_SECONDS where KV hangs", async () => {
		await expectUnavailable(await readThrough(without(watchBindings({ onKv: never })), path, 503));
	});

	it("is a 503 after STORE_TIMEOUT_SECONDS where D1 hangs and nothing is cached", async () => {
		await expectUnavailable(await readThrough(without(watchBindings({ onD1: never })), path, 503));
	});

	it("comes even if KV and D1 are slow", async () => {
		const slow = () => new Promise((resolve) => setTimeout(resolve, 60));
		const { calls, ...bindings } = watchBindings({ onKv: slow, onD1: slow });
		await readThrough(bindings, path, 200);
	});

	it.each<[string, unknown]>([
		["nothing", undefined],
		["rows of another shape", [[1, 2, 3]]],
		["rows that are none", [null]],
		["an object", {}],
	])("is a 503 where D1 answers garbage: %s", async (__, garbage) => {
		const withSession = () => ({
			prepare: () => ({ bind: () => ({ raw: async () => garbage }) }),
			getBookmark: () => null,
		});
		await expectUnavailable(await readThrough({ DB: { withSession } as unknown as D1Database }, path, 503));
	});
});

it("a KV that hangs tells a stranger nothing, and a D1 that hangs keeps no stranger waiting", async () => {
	const { chat, token, init } = await ownChat();
	const unavailable = await requestWith(without(watchBindings({ onKv: never })), runsPath(chat), init);
	expect(unavailable.status).toBe(503);
	const { DB } = watchBindings({ onD1: never });
	await env.SESSIONS.delete(token);
	const start = Date.now();
	expect((await requestWith({ DB }, runsPath(chat), init)).status).toBe(401);
	expect(Date.now() - start).toBeLessThan(4_000);
});

it("recording needs no KV", async () => {
	const { chat } = await ownChat();
	const { calls, ...bindings } = watchBindings({ onKv: never });
	const response = await requestWith(bindings, `${runsPath(chat)}/${uuid()}`, recording("PUT", report()));
	expect([response.status, calls.kv]).toEqual([201, []]);
});

describe("a cache that hangs", () => {
	it.each([
		["on opening", () => ({ open: never })],
		["on a look-up", () => ({ open: async () => ({ match: never, put: async () => {}, delete: async () => true }) })],
		["in the middle of a body", () => ({ open: async () => ({ match: halfAnEntry, put: async () => {} }) })],
	])("only costs speed: %s", async (_, broken) => {
		const { chat, init } = await ownChat();
		const { open } = broken();
		vi.spyOn(caches, "open").mockImplementationOnce(open as unknown as typeof caches.open);
		const response = await requestWith(TIMEOUT, runsPath(chat), init);
		const { data } = await response.json<{ data: { workflowRuns: unknown[] } }>();
		expect([response.status, data.workflowRuns.length]).toEqual([200, 1]);
		vi.restoreAllMocks();
		expect((await requestWith({}, runsPath(chat), init)).status).toBe(200);
	});

	const halfAnEntry = async (key: string) => {
		const meta = { chatId: key.slice(key.lastIndexOf("/") + 1), userId: "x", byteLength: 100 };
		const { readable, writable } = new TransformStream();
		void writable.getWriter().write(new TextEncoder().encode('{"data":'));
		return new Response(readable, { headers: { "x-history": encodeURIComponent(JSON.stringify(meta)) } });
	};
});

it("a put that fails behind the answer leaves the answer, and the next one, as they are", async () => {
	const { chat, init } = await ownChat();
	vi.spyOn(caches, "open").mockResolvedValue({
		match: async () => undefined,
		put: async () => Promise.reject(new Error("the cache is full")),
	} as unknown as Cache);
	for (let i = 0; i < 2; i++) expect((await requestWith({}, runsPath(chat), init)).status).toBe(200);
});

it("a reader sees what was stored before an outage, once the cache is gone and D1 is back", async () => {
	const { chat, run, init } = await ownChat();
	const second = uuid();
	expect((await putRun(chat, second, report())).status).toBe(201);
	const down = without(watchBindings({ onD1: () => Promise.reject(new Error("D1_ERROR: D1 DB is overloaded.")) }));
	expect((await requestWith(down, runsPath(chat), init)).status).toBe(503);
	const response = await requestWith({}, runsPath(chat), init);
	const { data } = await response.json<{ data: { workflowRuns: { id: string }[] } }>();
	expect(data.workflowRuns.map(({ id }) => id).sort()).toEqual([run, second].sort());
});
