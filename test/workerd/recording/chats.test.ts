import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { request, requestWith, runsPath, signIn, uuid } from "../helpers.ts";
import { watchBindings } from "../watch-bindings.ts";
import { putRun, readList, recording, registeredChat, report, revisionOf, wholeDatabase } from "./recorder.ts";

const chatPath = (chat: string) => `/api/chats/${chat}`;
const register = (chat: string, userId: unknown, more: object = {}) =>
	request(chatPath(chat), recording("PUT", { userId, ...more }));
const remove = (chat: string) => request(chatPath(chat), recording("DELETE"));

async function expectRead(chat: string, cookie: string, after: Response, status: number): Promise<void> {
	const headers = { cookie, "x-d1-bookmark": after.headers.get("x-d1-bookmark") as string };
	expect((await request(runsPath(chat), { headers })).status).toBe(status);
}

describe("registering a chat", () => {
	it("is a 201 once and a 200 after that, which changes nothing", async () => {
		const [chat, user] = [uuid(), uuid()];
		const first = await register(chat, user);
		expect([first.status, await first.json()]).toEqual([201, { data: { chat: { id: chat, userId: user } } }]);
		const before = await wholeDatabase();
		const again = await register(chat.toUpperCase(), user);
		expect([again.status, await again.json()]).toEqual([200, { data: { chat: { id: chat, userId: user } } }]);
		expect(await wholeDatabase()).toBe(before);
	});

	it("gives the owner, and nobody else, an empty list at once", async () => {
		const [chat, user] = [uuid(), uuid()];
		const { cookie } = await signIn(user);
		expect((await request(runsPath(chat), { headers: { cookie } })).status).toBe(404);
		const registered = await register(chat, user);
		const { workflowRuns } = await readList({ chat, user, cookie }, registered);
		expect(workflowRuns).toEqual([]);
		await expectRead(chat, (await signIn(uuid())).cookie, registered, 403);
	});

	it("is a 409 if it has another owner, deleted or not, and changes nothing", async () => {
		const { chat, user } = await registeredChat();
		for (const prepare of [() => undefined, () => remove(chat)]) {
			await prepare();
			const before = await wholeDatabase();
			const response = await register(chat, uuid());
			expect([response.status, (await response.json<{ code: string }>()).code]).toEqual([409, "CHAT_CONFLICT"]);
			expect(await wholeDatabase()).toBe(before);
		}
		expect((await register(chat, user, { restore: true })).status).toBe(200);
	});

	it("by 20 recorders at once makes one chat, with one owner", async () => {
		const [chat, one, other] = [uuid(), uuid(), uuid()];
		const owners = Array.from({ length: 20 }, (_, i) => (i % 2 ? one : other));
		const responses = await Promise.all(owners.map((owner) => register(chat, owner)));
		const statuses = responses.map(({ status }) => status);
		const winner = await env.DB.prepare("select user_id from chats where id = ?").bind(chat).first("user_id");
		for (const [i, owner] of owners.entries()) {
			expect([200, 201].includes(statuses[i] as number)).toBe(owner === winner);
		}
		expect(statuses.filter((status) => status === 201)).toHaveLength(1);
	});

	it.each(["a", "demo-user", "auth0|5f7c8ec7c33c6c004bbafe82", "用户 1", "\u{1f680}", 'a"b\\c', "u".repeat(255)])(
		"takes any readable user id: %s",
		async (userId) => {
			const chat = uuid();
			const { cookie } = await signIn(userId);
			const registered = await register(chat, userId);
			expect(registered.status).toBe(201);
			await expectRead(chat, cookie, registered, 200);
		},
	);

	it.each<[string, unknown, RegExp]>([
		["none", {}, /^userId: /],
		["null", { userId: null }, /^userId: /],
		["a number", { userId: 7 }, /^userId: /],
		["an empty one", { userId: "" }, /^userId: must be 1 to 255 characters/],
		["one of 256 characters", { userId: "u".repeat(256) }, /^userId: must be 1 to 255/],
		["a line break", { userId: "demo\nuser" }, /^userId: .*control character/],
		["a zero byte", { userId: "demo\u0000user" }, /^userId: /],
		["half of a surrogate pair", { userId: "demo\ud800" }, /^userId: /],
		["a restore that is neither true nor false", { userId: "demo-user", restore: "yes" }, /^restore: /],
		["another field beside it", { userId: "demo-user", admin: true }, /admin/],
	])("refuses %s, and writes nothing", async (_, body, message) => {
		const before = await wholeDatabase();
		const response = await request(chatPath(uuid()), recording("PUT", body));
		expect(response.status).toBe(400);
		expect(await response.json()).toMatchObject({ code: "INVALID_BODY", message: expect.stringMatching(message) });
		expect(await wholeDatabase()).toBe(before);
	});

	it("refuses an id that is none", async () => {
		for (const response of [await register("x", "demo-user"), await remove("x")]) {
			expect(response.status).toBe(400);
			expect(await response.json()).toMatchObject({ code: "INVALID_CHAT_ID" });
		}
	});
});

describe("deleting a chat", () => {
	it("hides it from its owner at once, and twice is fine", async () => {
		const owned = await registeredChat();
		await putRun(owned.chat, uuid(), report());
		const deleted = await remove(owned.chat);
		expect([deleted.status, await deleted.text()]).toEqual([204, ""]);
		expect(deleted.headers.get("x-request-id")).toBeTruthy();
		await expectRead(owned.chat, owned.cookie, deleted, 404);

		const before = await wholeDatabase();
		expect((await remove(owned.chat)).status).toBe(204);
		expect(await wholeDatabase()).toBe(before);
	});

	it("is a 404 if it was never registered", async () => {
		const response = await remove(uuid());
		expect([response.status, (await response.json<{ code: string }>()).code]).toEqual([404, "CHAT_NOT_FOUND"]);
	});

	it("is not undone by a registration that comes late, or twice", async () => {
		const owned = await registeredChat();
		await remove(owned.chat);
		const before = await wholeDatabase();
		for (const more of [{}, { restore: false }]) {
			const late = await register(owned.chat, owned.user, more);
			expect([late.status, (await late.json<{ code: string }>()).code]).toEqual([409, "CHAT_DELETED"]);
		}
		expect(await wholeDatabase()).toBe(before);
		expect((await putRun(owned.chat, uuid(), report())).status).toBe(404);
	});

	it("is undone by restore: true: the chat comes back with its runs, under a new revision", async () => {
		const owned = await registeredChat();
		const run = uuid();
		const before = await readList(owned, await putRun(owned.chat, run, report()));
		const revision = await revisionOf(owned.chat);
		await remove(owned.chat);
		const restored = await register(owned.chat, owned.user, { restore: true });
		expect([restored.status, await restored.json()]).toEqual([
			200,
			{ data: { chat: { id: owned.chat, userId: owned.user } } },
		]);
		expect(await readList(owned, restored)).toEqual(before);
		expect(await revisionOf(owned.chat)).not.toBe(revision);
		expect((await putRun(owned.chat, run, report())).status).toBe(200);
	});

	it("restore: true registers a chat that is new, and changes none that is not deleted", async () => {
		const [chat, user] = [uuid(), uuid()];
		expect((await register(chat, user, { restore: true })).status).toBe(201);
		const before = await wholeDatabase();
		expect((await register(chat, user, { restore: true })).status).toBe(200);
		expect(await wholeDatabase()).toBe(before);
	});
});

describe("a write's I/O", () => {
	it("is one D1 round trip for a chat, two for reports, one if they change nothing, and no KV", async () => {
		const owned = await registeredChat();
		const run = `${runsPath(owned.chat)}/${uuid()}`;
		const trips = async (path: string, init: RequestInit) => {
			const { calls, ...bindings } = watchBindings();
			expect((await requestWith(bindings, path, init)).ok).toBe(true);
			expect(calls.kv).toEqual([]);
			return calls.d1.length;
		};
		expect(await trips(chatPath(uuid()), recording("PUT", { userId: "demo-user" }))).toBe(1);
		expect(await trips(run, recording("PUT", report()))).toBe(2);
		expect(await trips(run, recording("PUT", report()))).toBe(1);
		const hundred = Array.from({ length: 100 }, () => ({ id: uuid(), ...report() }));
		expect(await trips(runsPath(owned.chat), recording("PATCH", { workflowRuns: hundred }))).toBe(2);
		expect(await trips(chatPath(owned.chat), recording("DELETE"))).toBe(1);
	});
});
