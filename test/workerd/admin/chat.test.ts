import { env } from "cloudflare:workers";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { MAX_COUNTED } from "../../../src/admin/schemas.ts";
import { eventually, insertChat, insertRuns, request, requestWith, runsPath, uuid } from "../helpers.ts";
import { watchersOf } from "../live/hub.ts";
import { closeStreams, open } from "../live/streams.ts";
import { eraseUser } from "../operating/operator.ts";
import { putRun, recording, registeredChat, report } from "../recording/recorder.ts";
import { watchBindings } from "../watch-bindings.ts";
import { cost, insertMany, look, refusal } from "./look.ts";

afterAll(closeStreams);
afterEach(() => {
	vi.restoreAllMocks();
});

const NONE = { pending: 0, running: 0, completed: 0, failed: 0, cancelled: 0 };
const MOMENT = expect.stringMatching(/^\d{4}-\d\d-\d\dT.*\.\d{3}Z$/);
const chatPath = (chat: string) => `chats/${chat}`;

interface Look {
	chat: Record<string, unknown>;
	runs: { byStatus: object; isCapped: boolean; latest: { id: string }[]; oldestStart: unknown; newestStart: unknown };
	hub: object;
	cachedCopy: { isCurrent: boolean } | null;
}
const lookAt = (chat: string, changed = {}) => look<Look>(chatPath(chat), changed);

describe("an operator's look at a chat", () => {
	it("tells whose it is and how its runs stand, the last changed first, and nothing of what is in them", async () => {
		const { chat, user } = await registeredChat();
		const [done, failed, running, pending] = [uuid(), uuid(), uuid(), uuid()];
		await putRun(chat, done, report({ output: { answer: "a secret" }, workflowName: "Private research" }));
		await putRun(chat, failed, report({ status: "failed", error: { message: "a private reason" } }));
		const start = { status: "running", startedAt: "2024-02-05T12:00:00.000Z", completedAt: null };
		await putRun(chat, running, report({ ...start, steps: [{ id: "a", status: "running", name: "A private step" }] }));
		await putRun(chat, pending, report({ status: "pending", startedAt: null, completedAt: null }));

		const told = await lookAt(chat.toUpperCase());
		expect(told).toEqual({
			chat: {
				id: chat,
				userId: user,
				createdAt: MOMENT,
				deletedAt: null,
				revision: expect.stringMatching(/^[0-9a-f-]{36}$/),
				change: 5,
				floor: 1,
				historyBytes: expect.any(Number),
			},
			runs: {
				byStatus: { ...NONE, pending: 1, running: 1, completed: 1, failed: 1 },
				isCapped: false,
				oldestStart: "2024-02-04T12:00:00.000Z",
				newestStart: "2024-02-05T12:00:00.000Z",
				latest: [pending, running, failed, done].map((id, i) => ({
					id,
					status: ["pending", "running", "failed", "completed"][i],
					startedAt: [null, start.startedAt, report()["startedAt"], report()["startedAt"]][i],
					completedAt: [null, null, report()["completedAt"], report()["completedAt"]][i],
					createdAt: MOMENT,
					heardAt: MOMENT,
					change: 5 - i,
				})),
			},
			hub: { state: "ok", watchers: 0 },
			cachedCopy: null,
		});
		expect(told.chat["historyBytes"]).toBeGreaterThan(4 * 300);
		expect(JSON.stringify(told)).not.toMatch(/secret|private/i);
	});

	it("finds a chat without runs, and one that 0.1 or SQL wrote", async () => {
		const { chat } = await registeredChat();
		const { runs } = await lookAt(chat);
		expect(runs).toEqual({ byStatus: NONE, isCapped: false, oldestStart: null, newestStart: null, latest: [] });
		const old = await insertChat(uuid());
		await insertRuns(old, [{}]);
		expect(await lookAt(old)).toMatchObject({
			chat: { change: 0, historyBytes: null },
			runs: { latest: [{ change: 0 }] },
		});
	});

	it("says since when a chat is deleted, and shows its runs all the same", async () => {
		const { chat } = await registeredChat();
		const run = uuid();
		await putRun(chat, run, report());
		await request(`/api/chats/${chat}`, recording("DELETE"));
		const { chat: told, runs } = await lookAt(chat);
		expect(told["deletedAt"]).toEqual(MOMENT);
		expect(runs.latest.map(({ id }) => id)).toEqual([run]);
	});

	it("says that a chat was erased, which leaves no more than its id", async () => {
		const { chat, user } = await registeredChat();
		await putRun(chat, uuid(), report());
		await eraseUser(user);
		const { chat: told, runs } = await lookAt(chat);
		expect(told).toMatchObject({ id: chat, userId: null, deletedAt: MOMENT });
		expect(runs).toMatchObject({ byStatus: NONE, latest: [] });
		expect(await refusal(`users/${user}`)).toMatchObject({ 0: 404, 1: "USER_NOT_FOUND" });
	});

	it("counts the streams that are open", async () => {
		const owned = await registeredChat();
		const streams = await Promise.all([open(owned), open(owned)]);
		await eventually(async () => expect(await watchersOf(owned.chat)).toBe(2));
		expect((await lookAt(owned.chat)).hub).toEqual({ state: "ok", watchers: 2 });
		await streams[0]?.close();
		await eventually(async () => expect((await lookAt(owned.chat)).hub).toEqual({ state: "ok", watchers: 1 }));
	});

	it("says that the hub fails, or that none is bound", async () => {
		vi.spyOn(console, "error").mockImplementation(() => {});
		const { chat } = await registeredChat();
		const broken = {
			idFromName: () => ({}),
			get: () => ({ countWatchers: () => Promise.reject(new Error("overloaded")) }),
		} as unknown as DurableObjectNamespace;
		expect((await lookAt(chat, { HUB: broken })).hub).toEqual({ state: "failing", watchers: null });
		expect((await lookAt(chat, { HUB: undefined })).hub).toEqual({ state: "off", watchers: null });
	});

	it("says whether the copy at the edge is still the chat's", async () => {
		const { chat, cookie } = await registeredChat();
		const list = async () => {
			const response = await requestWith({ FRESH_SECONDS: 0 }, runsPath(chat), { headers: { cookie } });
			return (await response.arrayBuffer()).byteLength;
		};
		const bytes = await list();
		const { chat: now, cachedCopy } = await lookAt(chat);
		expect(cachedCopy).toEqual({
			revision: now["revision"],
			change: now["change"],
			bytes,
			readAt: MOMENT,
			confirmedAt: MOMENT,
			isCurrent: true,
		});
		await putRun(chat, uuid(), report());
		expect((await lookAt(chat)).cachedCopy).toEqual({ ...cachedCopy, isCurrent: false });
		await list();
		expect((await lookAt(chat)).cachedCopy?.isCurrent).toBe(true);
	});

	it("is one D1 round trip at the primary and no KV, and reads the chat's own rows", async () => {
		const user = uuid();
		const chat = await insertChat(user);
		await insertRuns(chat, Array(50).fill({}));
		await insertRuns(await insertChat(user), Array(200).fill({}));
		const { trips, rows, kv } = await cost(chatPath(chat));
		expect([trips, kv]).toEqual([1, 0]);
		expect(rows).toBeLessThanOrEqual(50 + 16);
	});

	it("costs no more than a bound, however many runs there are, and says so", async () => {
		const chat = await insertChat(uuid());
		await insertMany(chat, MAX_COUNTED + 500);
		const { runs } = await lookAt(chat);
		expect(runs).toMatchObject({ byStatus: { ...NONE, completed: MAX_COUNTED }, isCapped: true });
		expect(runs.latest).toHaveLength(10);
		expect((await cost(chatPath(chat))).rows).toBeLessThanOrEqual(MAX_COUNTED + 16);
	});

	it("refuses what is no chat, and says what it is", async () => {
		expect(await refusal(chatPath(uuid()))).toEqual([404, "CHAT_NOT_FOUND", "No chat of this id is registered"]);
		expect(await refusal(chatPath("chat-1"))).toEqual([400, "INVALID_CHAT_ID", "Invalid chat ID format"]);
	});

	it("is a 503 where D1 fails, and asks nobody else then", async () => {
		vi.spyOn(console, "error").mockImplementation(() => {});
		const { calls, ...bindings } = watchBindings({ onD1: () => Promise.reject(new Error("D1_ERROR: overloaded")) });
		const HUB = { idFromName: () => expect.unreachable() } as unknown as DurableObjectNamespace;
		expect(await refusal(chatPath(uuid()), { ...bindings, HUB })).toEqual([
			503,
			"STORE_UNAVAILABLE",
			expect.any(String),
		]);
		expect(calls.kv).toEqual([]);
	});

	it("changes nothing", async () => {
		const { chat } = await registeredChat();
		await putRun(chat, uuid(), report());
		const before = await env.DB.prepare("select * from chats where id = ?").bind(chat).first();
		await lookAt(chat);
		expect(await env.DB.prepare("select * from chats where id = ?").bind(chat).first()).toEqual(before);
	});
});
