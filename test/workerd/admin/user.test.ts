import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { MAX_COUNTED } from "../../../src/admin/schemas.ts";
import { STATUSES } from "../../../src/workflow-runs/schemas.ts";
import { insertChat, insertRuns, request, uuid } from "../helpers.ts";
import { OPERATOR_TOKENS, recording, registeredChat } from "../recording/recorder.ts";
import { watchBindings } from "../watch-bindings.ts";
import { cost, insertMany, look, refusal } from "./look.ts";

let lines: Record<string, unknown>[];
beforeEach(() => {
	lines = [];
	vi.spyOn(console, "log").mockImplementation((line) => void lines.push(JSON.parse(line)));
	vi.spyOn(console, "error").mockImplementation((line) => void lines.push(JSON.parse(line)));
});
afterEach(() => {
	vi.restoreAllMocks();
});

const MOMENT = expect.stringMatching(/^\d{4}-\d\d-\d\dT.*\.\d{3}Z$/);
const NONE = { pending: 0, running: 0, completed: 0, failed: 0, cancelled: 0 };
const userPath = (user: string) => `users/${encodeURIComponent(user)}`;

const ended = (status: string) => (status === "pending" || status === "running" ? null : "2024-03-01T00:00:00.000Z");

interface Look {
	id: string;
	chats: { latest: { id: string }[]; isCapped: boolean };
	runs: { latest: { id: string; chatId: string }[]; isCapped: boolean };
}
const lookAt = async (user: string) => (await look<{ user: Look }>(userPath(user))).user;

describe("an operator's look at a user", () => {
	it("counts chats and runs, and names the newest with their chats", async () => {
		const { chat, user } = await registeredChat();
		const { chat: deleted } = await registeredChat({ user, cookie: "" });
		const runs = await insertRuns(
			chat,
			STATUSES.map((status, i) => ({
				status,
				startedAt: status === "pending" ? null : `2024-02-0${i}T00:00:00.000Z`,
				completedAt: ended(status),
			})),
		);
		await insertRuns(deleted, [{}, {}]);
		await request(`/api/chats/${deleted}`, recording("DELETE"));

		const told = await lookAt(user);
		expect(told).toEqual({
			id: user,
			chats: { live: 1, deleted: 1, isCapped: false, latest: expect.any(Array) },
			runs: {
				byStatus: { pending: 1, running: 1, completed: 1, failed: 1, cancelled: 1 },
				isCapped: false,
				// Not yet started first, then newest start first.
				latest: [0, 4, 3, 2, 1].map((i) => ({
					id: runs[i],
					chatId: chat,
					status: STATUSES[i],
					startedAt: i === 0 ? null : `2024-02-0${i}T00:00:00.000Z`,
				})),
			},
		});
		expect(told.chats.latest).toHaveLength(2);
		expect(told.chats.latest).toEqual(
			expect.arrayContaining([
				{ id: chat, createdAt: MOMENT, deletedAt: null },
				{ id: deleted, createdAt: MOMENT, deletedAt: MOMENT },
			]),
		);
	});

	it.each(["o'brien/../x?y", "a b%2F", "名前", `"; drop table chats; --`])("takes any user id: %s", async (name) => {
		const user = `${name}${uuid()}`;
		const chat = await insertChat(user);
		expect(await lookAt(user)).toMatchObject({ id: user, chats: { latest: [{ id: chat }] }, runs: { byStatus: NONE } });
	});

	it("sees another user's nothing, and who has no chat is not found", async () => {
		await insertChat("somebody-else");
		expect(await refusal(userPath(uuid()))).toEqual([404, "USER_NOT_FOUND", "No chat is registered for the user"]);
		expect(await refusal("users/%00")).toMatchObject({ 0: 400, 1: "INVALID_PARAMETER" });
		expect(await refusal(`users/${"x".repeat(256)}`)).toMatchObject({ 0: 400, 1: "INVALID_PARAMETER" });
	});

	it("is one D1 round trip and no KV, and reads the user's own rows", async () => {
		const user = uuid();
		for (let i = 0; i < 5; i++) {
			const status = STATUSES[i] as string;
			await insertRuns(await insertChat(user), Array(20).fill({ status, completedAt: ended(status) }));
		}
		for (let i = 0; i < 200; i++) await insertChat("somebody-else");
		const { trips, rows, kv } = await cost(userPath(user));
		expect([trips, kv]).toEqual([1, 0]);
		expect(rows).toBeLessThanOrEqual(100 + 3 * 5 + 85);
	});

	it("costs no more than a bound, however many runs there are, and says so", async () => {
		const user = uuid();
		const chat = await insertChat(user);
		await insertMany(chat, MAX_COUNTED + 500);
		const { runs } = await lookAt(user);
		expect(runs).toMatchObject({ byStatus: { ...NONE, completed: MAX_COUNTED }, isCapped: true });
		expect(runs.latest).toHaveLength(10);
		expect((await cost(userPath(user))).rows).toBeLessThanOrEqual(MAX_COUNTED + 3 + 45);
	});

	it("is logged with the token's place and the user's pseudonym, never with the user's id, also where it is refused", async () => {
		const user = `user-${uuid()}`;
		// What an earlier test has left behind may ask for something meanwhile.
		const looks = () =>
			lines.filter(({ event, path }) => event === "request" && String(path).startsWith("/api/admin/"));
		await insertChat(user);
		await lookAt(user);
		expect(looks()[0]).toMatchObject({
			route: "/api/admin/users/:userId",
			path: "/api/admin/users/:userId",
			token: "operator 1",
			user: expect.stringMatching(/^[0-9a-f]{16}$/),
		});
		await request(`/api/admin/${userPath(user)}`);
		await request(`/api/admin/${userPath(user)}/more`, { headers: { authorization: `Bearer ${OPERATOR_TOKENS[0]}` } });
		const { calls: _, ...bindings } = watchBindings({ onD1: () => Promise.reject(new Error("D1_ERROR: overloaded")) });
		expect(await refusal(userPath(user), bindings)).toMatchObject({ 0: 503, 1: "STORE_UNAVAILABLE" });
		expect(looks()).toHaveLength(4);
		expect(JSON.stringify(lines)).not.toContain(user);
	});
});
