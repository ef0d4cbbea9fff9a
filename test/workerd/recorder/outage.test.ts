import { describe, expect, it, vi } from "vitest";
import { eventually } from "../helpers.ts";
import { list, overHttp, registeredChat, uuid } from "./stage.ts";

const workflowId = uuid();
const running = (id = uuid(), more: object = {}) => ({ id, workflowId, status: "running", ...more }) as const;
const completed = (id: string) =>
	({ id, workflowId, status: "completed", completedAt: "2024-02-04T12:01:30.000Z" }) as const;

const answer = (status: number, code: string, headers: Record<string, string> = {}) =>
	Response.json({ code, message: `it answers ${code}` }, { status, headers });

describe("while the service is away", () => {
	it("keeps the newest state of each run, and sends it when it is back: one request, not one a report", async () => {
		let isAway = true;
		const { recorder, requests, errors } = overHttp(() => (isAway ? new TypeError("network down") : undefined));
		const chat = await registeredChat();
		const ids = [uuid(), uuid()] as const;
		for (let progress = 0; progress < 50; progress++) {
			for (const id of ids)
				recorder.report({ chatId: chat.chat, run: running(id, { steps: [running(`step-${progress}`)] }) });
		}
		await eventually(() => expect(requests.length).toBeGreaterThan(5));
		for (const id of ids) recorder.report({ chatId: chat.chat, run: completed(id) });
		isAway = false;
		const before = requests.length;
		await recorder.flush();
		expect(requests.length - before).toBeLessThanOrEqual(2);
		expect(errors).toMatchObject([{ kind: "unreachable" }]);
		const runs = await list(chat);
		expect(runs.map(({ status, steps }) => [status, steps.length])).toEqual([
			["completed", 50],
			["completed", 50],
		]);
	});

	it("says so once an outage, whatever the chats, and again at the next one", async () => {
		let isAway = true;
		const { recorder, requests, errors } = overHttp(() => (isAway ? new TypeError("network down") : undefined));
		for (const outage of [1, 2]) {
			isAway = true;
			const chats = [await registeredChat(), await registeredChat()];
			for (const { chat } of chats) recorder.report({ chatId: chat, run: running() });
			const before = requests.length;
			await eventually(() => expect(requests.length).toBeGreaterThan(before + 8));
			isAway = false;
			await recorder.flush();
			expect(errors.map(({ kind }) => kind)).toEqual(Array(outage).fill("unreachable"));
		}
	});

	it("asks with one request at a time, however many chats wait", async () => {
		let [requests, inFlight, most] = [0, 0, 0];
		let isAway = true;
		const { recorder, errors } = overHttp(undefined, {
			fetch: async () => {
				requests += 1;
				inFlight += 1;
				// Those that were begun before it was known to be away.
				if (requests > 6) most = Math.max(most, inFlight);
				await new Promise((resolve) => setTimeout(resolve));
				inFlight -= 1;
				if (isAway) throw new TypeError("network down");
				return answer(404, "CHAT_NOT_FOUND");
			},
		});
		for (let chat = 0; chat < 20; chat++) recorder.report({ chatId: uuid(), run: running() });
		await eventually(() => expect(requests).toBeGreaterThan(30));
		expect(most).toBe(1);
		isAway = false;
		await recorder.flush();
		expect(errors.filter(({ kind }) => kind === "refused")).toHaveLength(20);
	});

	it("never rejects a flush, which ends after its timeout and says what is left", async () => {
		const { recorder, errors } = overHttp(() => answer(503, "STORE_UNAVAILABLE"));
		recorder.report({ chatId: uuid(), run: running() });
		recorder.report({ chatId: uuid(), run: running() });
		await recorder.flush({ timeoutMilliseconds: 30 });
		expect(errors.at(-1)).toMatchObject({ kind: "unsent", message: expect.stringContaining("2 runs") });
		await recorder.close({ timeoutMilliseconds: 1 });
	});

	it("holds no more than it may, and drops what ended first", async () => {
		let isAway = true;
		const { recorder, errors } = overHttp(() => (isAway ? new TypeError("network down") : undefined), {
			maxWaitingBytes: 100_000,
		});
		const chat = await registeredChat();
		const ids = Array.from({ length: 100 }, uuid);
		const active = uuid();
		recorder.report({ chatId: chat.chat, run: running(active) });
		for (const id of ids) {
			const output = "x".repeat(2_000);
			recorder.report({ chatId: chat.chat, run: { ...completed(id), output } });
		}
		isAway = false;
		await recorder.flush();
		const stored = (await list(chat)).map(({ id }) => id);
		const dropped = errors.filter(({ kind }) => kind === "dropped").flatMap(({ runIds }) => runIds);
		expect(dropped.length).toBeGreaterThan(40);
		// In the order of their ends, but for one that may have been on its way.
		expect(stored).toContain(active);
		expect(dropped.slice(1)).toEqual(ids.slice(ids.indexOf(dropped[1] as string)).slice(0, dropped.length - 1));
		expect([...stored, ...dropped].sort()).toEqual([active, ...ids].sort());
	});
});

it("asks nothing for a chat whose runs were all dropped", async () => {
	let isAway = true;
	const { recorder, requests, errors } = overHttp(() => (isAway ? answer(503, "STORE_UNAVAILABLE") : undefined), {
		maxWaitingBytes: 20_000,
	});
	const chats = await Promise.all(Array.from({ length: 12 }, () => registeredChat()));
	for (const { chat } of chats) {
		recorder.report({ chatId: chat, run: { ...completed(uuid()), output: "x".repeat(4_000) } });
	}
	await eventually(() => expect(requests.length).toBeGreaterThan(20));
	isAway = false;
	const before = requests.length;
	await recorder.flush();
	const lists = await Promise.all(chats.map(list));
	const kept = lists.filter((runs) => runs.length === 1).length;
	const dropped = errors.filter(({ kind }) => kind === "dropped").length;
	expect(dropped).toBeGreaterThan(5);
	expect(kept + dropped).toBe(12);
	expect(errors.filter(({ kind }) => kind !== "dropped" && kind !== "unreachable")).toEqual([]);
	recorder.report({ chatId: chats[0]?.chat as string, run: running() });
	await recorder.flush();
	expect(requests.length - before).toBeLessThanOrEqual(kept + 2);
	for (const request of requests) expect(await request.text()).not.toContain('"workflowRuns":[]');
});

describe("where the service asks for a pause", () => {
	it.each([
		["seconds", "1"],
		["a date", new Date(Date.now() + 3_600_000).toUTCString()],
	])("waits as long as Retry-After says (%s), and does not let a flush cut it short", async (_, retryAfter) => {
		const { recorder, requests } = overHttp(() => answer(429, "RATE_LIMITED", { "retry-after": retryAfter }));
		recorder.report({ chatId: uuid(), run: running() });
		await eventually(() => expect(requests).toHaveLength(1));
		// Another chat: writes are counted by token.
		recorder.report({ chatId: uuid(), run: running() });
		await recorder.flush({ timeoutMilliseconds: 50 });
		expect(requests).toHaveLength(1);
		await recorder.close({ timeoutMilliseconds: 1 });
	});

	it("goes on afterwards", async () => {
		const { recorder, requests, errors } = overHttp((_, nth) =>
			nth === 1 ? answer(503, "STORE_UNAVAILABLE", { "retry-after": "0" }) : undefined,
		);
		const chat = await registeredChat();
		recorder.report({ chatId: chat.chat, run: running() });
		await recorder.flush();
		expect(requests).toHaveLength(2);
		expect(errors).toEqual([]);
		expect(await list(chat)).toHaveLength(1);
	});

	it("tells once that its token is not known, keeps what waits, and never shows the token", async () => {
		const told = vi.spyOn(console, "warn").mockImplementation(() => {});
		const token = "not-a-token-that-the-service-knows-0123456789";
		const { recorder, requests } = overHttp(undefined, { token, onError: undefined });
		recorder.report({ chatId: uuid(), run: running() });
		await eventually(() => expect(told).toHaveBeenCalled());
		recorder.report({ chatId: uuid(), run: running() });
		await recorder.flush({ timeoutMilliseconds: 30 });
		await recorder.flush({ timeoutMilliseconds: 30 });
		expect(requests).toHaveLength(1);
		const texts = told.mock.calls.map(([text]) => String(text));
		told.mockRestore();
		expect(texts).toEqual([expect.stringContaining("does not know the token"), expect.stringContaining("2 runs")]);
		expect(texts.join()).not.toContain(token);
		await recorder.close({ timeoutMilliseconds: 1 });
	});
});
