import { env } from "cloudflare:workers";
import { afterAll, describe, expect, it, vi } from "vitest";
import { insertChat, insertRuns, request, requestWith, runsPath, signIn, uuid } from "../helpers.ts";
import { closeStreams, open } from "../live/streams.ts";
import { patchRuns, putRun, recording, registeredChat, report, wholeDatabase } from "../recording/recorder.ts";
import { watchBindings } from "../watch-bindings.ts";
import { eraseChat, erasePath, eraseUser, operating, receiptOf, rows, storedOf, userPath } from "./operator.ts";

afterAll(closeStreams);

const NOTHING = { chats: 0, workflowRuns: 0, more: false };
const DELETED_AT = "2024-02-05T00:00:00.000Z";

/** A user with chats of every kind: with runs, without, deleted. */
async function person(user: string = uuid()) {
	const [some, deleted, empty] = [
		await insertChat(user),
		await insertChat(user, { deletedAt: DELETED_AT }),
		await insertChat(user),
	];
	await insertRuns(some, [{}, { status: "running", completedAt: null }]);
	await insertRuns(deleted, [{ status: "pending", startedAt: null, completedAt: null }]);
	return { user, some, deleted, empty };
}

describe("erasing a user", () => {
	it("erases all chats and runs, deleted ones too, and gives a receipt; again, there is nothing", async () => {
		const { user, some, deleted, empty } = await person();
		const { cookie } = await signIn(user);
		expect(await storedOf(user)).toEqual({ chats: 3, runs: 3, entries: 2 });
		const response = await request(userPath(user), operating("DELETE"));
		expect(response.headers.get("cache-control")).toBe("no-store");
		const after = response.headers.get("x-d1-bookmark") as string;
		expect(await receiptOf(response)).toEqual([200, { chats: 3, workflowRuns: 3, more: false }]);
		expect(await storedOf(user)).toEqual({ chats: 0, runs: 0, entries: 0 });
		for (const chat of [some, deleted, empty]) {
			const read = await request(runsPath(chat), { headers: { cookie, "x-d1-bookmark": after } });
			expect(read.status).toBe(404);
		}
		const before = await wholeDatabase();
		expect(await eraseUser(user)).toEqual([200, NOTHING]);
		expect(await wholeDatabase()).toBe(before);
	});

	it("leaves of each chat its id, and nothing that says whose it was or when", async () => {
		const { user, some } = await person();
		await eraseUser(user);
		const [row] = await rows("select * from chats where id = ?", some);
		const { revision, created_at, deleted_at, ...rest } = row as Record<string, unknown>;
		expect(rest).toEqual({
			id: some,
			user_id: "",
			change: 1,
			floor: 1,
			history_bytes: null,
			trail: String(revision).slice(0, 8),
		});
		expect(created_at).toBe(deleted_at);
		expect(Date.now() - Date.parse(String(deleted_at))).toBeLessThan(60_000);
		expect(await rows("select 1 from workflow_runs where chat_id = ?", some)).toEqual([]);
	});

	it("leaves others as they are", async () => {
		const { user, some } = await person();
		const other = await person();
		const { cookie } = await signIn(other.user);
		const read = async () => (await request(runsPath(other.some), { headers: { cookie } })).text();
		const before = [await read(), await storedOf(other.user)];
		await eraseUser(user);
		await eraseUser(`${other.user}%`);
		await eraseUser(other.user.slice(0, -1));
		await eraseChat(some);
		expect([await read(), await storedOf(other.user)]).toEqual(before);
	});

	it("goes on in batches: 202 while there is more, then 200, and the receipts add up", async () => {
		const user = uuid();
		const insert = env.DB.prepare("insert into chats (id, user_id, revision, created_at) values (?, ?, 'r', ?)");
		const chats = Array.from({ length: 850 }, uuid);
		await env.DB.batch(chats.map((id) => insert.bind(id, user, DELETED_AT)));
		const big = await insertChat(user);
		await insertRuns(big, Array(450).fill({}));
		const statuses: number[] = [];
		const total = { chats: 0, workflowRuns: 0 };
		for (let more = true; more && statuses.length < 10; ) {
			const [status, receipt] = await receiptOf(await requestWith({}, userPath(user), operating("DELETE")));
			statuses.push(status);
			total.chats += receipt.chats;
			total.workflowRuns += receipt.workflowRuns;
			more = receipt.more;
			expect(receipt.more).toBe(status === 202);
		}
		expect(statuses.at(-1)).toBe(200);
		expect(statuses.length).toBeGreaterThan(2);
		expect(new Set(statuses.slice(0, -1))).toEqual(new Set([202]));
		expect(total).toEqual({ chats: 851, workflowRuns: 450 });
		expect(await storedOf(user)).toEqual({ chats: 0, runs: 0, entries: 0 });
	});

	it("hides a large chat at once, and tells in the receipt what is done where D1 fails half way", async () => {
		const user = uuid();
		const { cookie } = await signIn(user);
		const chat = await insertChat(user);
		await insertRuns(chat, Array(450).fill({}));
		vi.spyOn(console, "error").mockImplementation(() => {});
		let batches = 0;
		const { DB, SESSIONS } = watchBindings({
			onD1: (queries) => {
				if (queries.length > 1 && ++batches > 1) throw new Error("D1 DB is overloaded");
			},
		});
		const response = await requestWith({ DB, SESSIONS }, userPath(user), operating("DELETE"));
		expect(await receiptOf(response)).toEqual([202, { chats: 0, workflowRuns: 200, more: true }]);
		vi.restoreAllMocks();
		expect((await request(runsPath(chat), { headers: { cookie } })).status).toBe(404);
		expect(await storedOf(user)).toEqual({ chats: 1, runs: 250, entries: 0 });
		expect(await eraseUser(user)).toEqual([200, { chats: 1, workflowRuns: 250, more: false }]);
	});

	it("is a 503 that has erased nothing where D1 fails, or KV does not take the mark", async () => {
		const { user } = await person();
		vi.spyOn(console, "error").mockImplementation(() => {});
		const before = await wholeDatabase();
		const failing = watchBindings({ onD1: () => Promise.reject(new Error("D1 DB is overloaded")) });
		const SESSIONS = {
			put: () => Promise.reject(new Error("KV PUT failed: 500")),
			get: () => Promise.resolve(null),
		} as unknown as KVNamespace;
		for (const stores of [{ DB: failing.DB }, { SESSIONS }]) {
			const response = await requestWith(stores, userPath(user), operating("DELETE"));
			expect([response.status, (await response.json<{ code: string }>()).code]).toEqual([503, "STORE_UNAVAILABLE"]);
			expect(response.headers.get("retry-after")).toBeTruthy();
		}
		vi.restoreAllMocks();
		expect(await wholeDatabase()).toBe(before);
	});

	it("goes on where KV refuses a second mark within a second", async () => {
		const { user } = await person();
		const SESSIONS = {
			put: () => Promise.reject(new Error("KV PUT failed: 429 Too Many Requests")),
			get: () => Promise.resolve("2024-02-04T12:00:00.000Z"),
		} as unknown as KVNamespace;
		const response = await requestWith({ SESSIONS }, userPath(user), operating("DELETE"));
		expect(await receiptOf(response)).toEqual([200, { chats: 3, workflowRuns: 3, more: false }]);
	});

	it("costs what the user has, whatever others have", async () => {
		await insertRuns(await insertChat(uuid()), Array(500).fill({}));
		for (let i = 0; i < 50; i++) await insertChat(uuid());
		const { user } = await person();
		const { calls, ...bindings } = watchBindings();
		await requestWith(bindings, userPath(user), operating("DELETE"));
		const [[find] = []] = calls.d1;
		const plan = await rows<{ detail: string }>(`explain query plan ${find?.sql}`, ...(find?.params ?? []));
		expect(plan.map(({ detail }) => detail.replace(/ +LEFT-JOIN/, ""))).toEqual([
			"SEARCH chats USING COVERING INDEX chats_user (user_id=?)",
			"SEARCH workflow_runs USING COVERING INDEX workflow_runs_list (chat_id=?)",
		]);
		const again = await person();
		const read = await rowsRead(again.user);
		// Three chats and three runs: each is found, looked up and checked for what is left, and each run has its entries.
		expect(read).toBeLessThan(80);
	});

	it.each([
		"a/b",
		"用户 1",
		"\u{1f680}",
		'a"b\\c',
		"100%",
		"%41",
		"a?b#c",
		"u".repeat(255),
		"' or 1=1 --",
		"…",
		"a b+c",
	])("takes any user id, percent-encoded: %s", async (user) => {
		const { some } = await person(user);
		expect((await eraseUser(user))[1]).toEqual({ chats: 3, workflowRuns: 3, more: false });
		expect(await rows("select user_id from chats where id = ?", some)).toEqual([{ user_id: "" }]);
	});

	it.each([
		["%00", /^userId: must be 1 to 255/],
		["a%0Ab", /^userId: /],
		["u".repeat(256), /^userId: must be 1 to 255/],
		["%ff", /^userId: is not percent-encoded UTF-8/],
		["a%20%ff", /^userId: is not percent-encoded UTF-8/],
		["%ed%a0%80", /^userId: is not percent-encoded UTF-8/],
	])("refuses %s, before any store is asked", async (encoded, message) => {
		for (const [method, path] of [
			["DELETE", ""],
			["GET", "/export"],
		] as const) {
			const { calls, ...bindings } = watchBindings();
			const response = await requestWith(bindings, `/api/users/${encoded}${path}`, operating(method));
			expect(response.status).toBe(400);
			expect(await response.json()).toMatchObject({
				code: "INVALID_PARAMETER",
				message: expect.stringMatching(message),
			});
			expect(calls).toEqual({ kv: [], d1: [] });
		}
	});

	it("takes none with a query behind it: it may be the id's, or ask for less than an erasure", async () => {
		const { user } = await registeredChat();
		for (const query of ["?dryRun=true", "?erase=false", "?x"]) {
			const response = await request(`${userPath(user)}${query}`, operating("DELETE"));
			expect([response.status, await response.json()]).toMatchObject([
				400,
				{ code: "INVALID_PARAMETER", message: expect.stringMatching(/^An erasure takes no query/) },
			]);
		}
		expect((await storedOf(user)).chats).toBe(1);
	});

	it("takes no empty one, which tombstones have", async () => {
		expect((await request("/api/users/", operating("DELETE"))).status).toBe(404);
		expect((await request("/api/users//export", operating("GET"))).status).toBe(404);
	});
});

describe("erasing a chat", () => {
	it("erases it alone, deleted or not, and once", async () => {
		const { user, some, deleted, empty } = await person();
		expect(await eraseChat(some.toUpperCase())).toEqual([200, { chats: 1, workflowRuns: 2, more: false }]);
		expect(await storedOf(user)).toEqual({ chats: 2, runs: 1, entries: 0 });
		expect(await eraseChat(deleted)).toEqual([200, { chats: 1, workflowRuns: 1, more: false }]);
		expect(await eraseChat(empty)).toEqual([200, { chats: 1, workflowRuns: 0, more: false }]);
		const before = await wholeDatabase();
		expect(await eraseChat(some)).toEqual([200, NOTHING]);
		expect(await wholeDatabase()).toBe(before);
	});

	it("is a 404 if it was never registered, and marks nothing", async () => {
		const chat = uuid();
		const response = await request(erasePath(chat), operating("DELETE"));
		expect([response.status, (await response.json<{ code: string }>()).code]).toEqual([404, "CHAT_NOT_FOUND"]);
		expect(await env.SESSIONS.get(`erased-chat-${chat}`)).toBeNull();
	});

	it("is a 400 if its id is none", async () => {
		const response = await request(erasePath("x"), operating("DELETE"));
		expect(await response.json()).toMatchObject({ code: "INVALID_CHAT_ID" });
	});
});

describe("open streams of what is erased", () => {
	it.each(["user", "chat"] as const)("end, with the reason that their clients know: a %s", async (what) => {
		const owned = await registeredChat();
		const run = uuid();
		await putRun(owned.chat, run, report({ status: "running", completedAt: null }));
		const streams = [await open(owned), await open(owned, { path: `/${run}` })];
		for (const stream of streams) await stream.next();
		if (what === "user") await eraseUser(owned.user);
		else await eraseChat(owned.chat);
		for (const stream of streams) {
			expect(await stream.next()).toMatchObject({ event: "end", data: '{"reason":"chat_deleted"}' });
			await expect(stream.next()).rejects.toThrow("ended");
		}
		const back = await open(owned);
		expect(back.status).toBe(404);
	});
});

it("the log tells of an erasure by counts and a pseudonym, and nowhere by the user's id", async () => {
	const logged: string[] = [];
	for (const level of ["log", "error"] as const) {
		vi.spyOn(console, level).mockImplementation((line) => void logged.push(String(line)));
	}
	const { user } = await person("somebody@example.com");
	const fail = () => Promise.reject(new Error("D1_ERROR: Network connection lost."));
	const broken = watchBindings({ onD1: fail });
	const garbage = watchBindings({ afterD1: () => Promise.reject(new Error("D1 DB is overloaded")) });
	for (const path of [
		userPath(user),
		`${userPath(user)}/export`,
		`${userPath(user)}/nothing`,
		`/api/admin/users/${user}`,
	]) {
		for (const bindings of [{}, { DB: broken.DB }, { DB: garbage.DB }]) {
			const method = path.endsWith("/export") ? "GET" : "DELETE";
			const response = await requestWith({ ...bindings, STORE_TIMEOUT_SECONDS: 1 }, path, operating(method));
			await response.arrayBuffer();
			await requestWith({}, path, { method });
		}
	}
	await requestWith({}, `/api/chats/${uuid()}`, recording("PUT", { userId: user }));
	vi.restoreAllMocks();
	expect(logged.join("\n")).not.toMatch(/somebody/);
	const lines = logged.map((line) => JSON.parse(line));
	expect(lines).toContainEqual(expect.objectContaining({ event: "erasure", chats: 3, deleted: 3, more: false }));
	expect(lines).toContainEqual(
		expect.objectContaining({
			event: "request",
			path: "/api/users/:userId",
			user: expect.stringMatching(/^[0-9a-f]{16}$/),
		}),
	);
});

/** What erasing a user reads. */
async function rowsRead(user: string): Promise<number> {
	let read = 0;
	const count = <T extends { meta: { rows_read: number } }>(result: T): T => {
		read += result.meta.rows_read;
		return result;
	};
	const counting = (session: D1DatabaseSession) => ({
		prepare: session.prepare.bind(session),
		batch: async (statements: D1PreparedStatement[]) => (await session.batch(statements)).map(count),
		getBookmark: () => session.getBookmark(),
	});
	const DB = { withSession: (from: string) => counting(env.DB.withSession(from)) } as unknown as D1Database;
	await requestWith({ DB }, userPath(user), operating("DELETE"));
	return read;
}

it("reports of several runs of an erased chat are refused as a whole", async () => {
	const { chat } = await registeredChat();
	await eraseChat(chat);
	expect((await patchRuns(chat, [{ id: uuid(), ...report() }])).status).toBe(404);
});
