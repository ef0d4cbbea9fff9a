import { createExecutionContext, evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { createReadToken } from "#recorder/index.ts";
import { app } from "../../../src/app.ts";
import type { Env } from "../../../src/env.ts";
import { ServiceError } from "../../../src/errors.ts";
import { chatStream, openChatStream } from "../../../src/live/chat-stream.ts";
import { EventWriter } from "../../../src/live/event-writer.ts";
import { follow as follows, type Kind } from "../../../src/live/follow.ts";
import { Inbox } from "../../../src/live/inbox.ts";
import { scopeOf } from "../../../src/scope.ts";
import { SECRETS } from "../access/read-tokens.ts";
import { eventually, insertChat, insertRuns, runsPath, signIn, storedSession, uuid } from "../helpers.ts";
import { type OwnedChat, putRun, registeredChat, report } from "../recording/recorder.ts";
import { type Hooks, watchBindings } from "../watch-bindings.ts";
import { hubOf, hubsThat, watchersOf } from "./hub.ts";
import { closeStreams, open, type Stream } from "./streams.ts";
import { recordAs01 } from "./version-01.ts";

const ended = (stream: Stream) => expect(stream.next()).rejects.toThrow("the stream has ended");
const running = (more: Record<string, unknown> = {}) => report({ status: "running", completedAt: null, ...more });
const expectWatchers = (chat: string, count: number) =>
	eventually(async () => expect(await watchersOf(chat)).toBe(count));

beforeAll(() => {
	vi.spyOn(console, "log").mockImplementation(() => {});
	vi.spyOn(console, "error").mockImplementation(() => {});
});
beforeEach(() => {
	vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"], shouldAdvanceTime: true });
});
afterEach(() => closeStreams());
afterAll(() => {
	vi.useRealTimers();
	vi.restoreAllMocks();
});

/** Opens a stream that follows its chat by now: its first event is read, and it has read what it lacked. */
async function follow(chat: OwnedChat, bindings: object = {}, path = ""): Promise<Stream> {
	const { calls, ...watched } = watchBindings();
	const stream = await open(chat, { bindings: { ...watched, ...bindings }, path });
	await stream.next();
	await expectWatchers(chat.chat, 1);
	return stream;
}

/** As `follow`, once nothing is on its way to D1 or KV any more. */
async function settled(): Promise<void> {
	for (let i = 0; i < 5; i++) await vi.advanceTimersByTimeAsync(20);
}

const passSeconds = (seconds: number) => vi.advanceTimersByTimeAsync(seconds * 1_000);

describe("time in a stream", () => {
	it("ends it within a minute of the session's end", async () => {
		const user = uuid();
		const session = await signIn(user);
		const chat = await registeredChat({ user, cookie: session.cookie });
		const stream = await follow(chat);
		await env.SESSIONS.delete(session.token);
		await settled();
		await passSeconds(60);
		expect(await stream.next()).toMatchObject({ event: "end", data: '{"reason":"session_ended"}' });
		await ended(stream);
	});

	it("ends it then though its client, which is slow, has always more to take", async () => {
		const { chat } = await registeredChat();
		let change = 0;
		const state = () => ({ change, mark: "01234567" });
		vi.spyOn(Inbox.prototype, "take").mockImplementation(() => {
			const from = state();
			change++;
			return { from, to: state(), bookmark: null, runs: ["{}"] };
		});
		const kind: Kind = {
			catchUp: async (now) => ({ now, queries: 1 }),
			async pass() {
				if (change > 100) throw new Error("the session was not checked");
				await passSeconds(1);
				return undefined;
			},
		};
		const rereadSession = () => Promise.reject(new ServiceError("INVALID_SESSION"));
		const following = { chatId: chat, start: { state: state(), bookmark: null }, kind, rereadSession };
		const events = new EventWriter(new AbortController().signal);
		void new Response(events.body).text();
		const scope = scopeOf(env as Env, createExecutionContext());
		await expect(follows(scope, following, events)).resolves.toBe("session_ended");
		vi.mocked(Inbox.prototype.take).mockRestore();
	});

	it("lets it sleep though the clock is set back by a month", async () => {
		await follow(await registeredChat());
		await settled();
		const [sleep, now] = [vi.spyOn(Inbox.prototype, "wait"), Date.now()];
		vi.setSystemTime(now - 30 * 86_400_000);
		await passSeconds(16);
		vi.setSystemTime(now);
		expect(sleep).toHaveBeenCalled();
		for (const [milliseconds] of sleep.mock.calls) expect(milliseconds).toBeLessThanOrEqual(15_000);
		sleep.mockRestore();
	});

	it("ends it with its read token, not before, and KV is never asked", async () => {
		const chat = await registeredChat();
		const run = uuid();
		await putRun(chat.chat, run, running());
		const token = await createReadToken({ secret: SECRETS[0], userId: chat.user, expiresInSeconds: 30 });
		const { calls, ...bindings } = watchBindings();
		const options = { bindings, headers: { cookie: "", authorization: `Bearer ${token}` } };
		const streams = [await open(chat, options), await open(chat, { ...options, path: `/${run}` })];
		for (const stream of streams) await stream.next();
		await expectWatchers(chat.chat, 2);
		await passSeconds(20);
		await putRun(chat.chat, run, running({ workflowName: "Still told" }));
		for (const stream of streams) expect((await stream.next()).data).toContain("Still told");
		await settled();
		await passSeconds(10);
		for (const stream of streams) {
			expect(await stream.next()).toMatchObject({ event: "end", data: '{"reason":"session_ended"}' });
			await ended(stream);
		}
		expect(calls.kv).toEqual([]);
	});

	it("does not end it where KV fails: nobody is logged out by an outage", async () => {
		const chat = await registeredChat();
		let isDown = false;
		const { calls, ...bindings } = watchBindings({
			onKv: () => {
				if (isDown) throw new Error("KV GET failed: 500");
			},
		});
		const stream = await follow(chat, bindings);
		isDown = true;
		await settled();
		const asked = calls.kv.length;
		await passSeconds(60);
		await eventually(() => expect(calls.kv.length).toBeGreaterThan(asked));
		isDown = false;
		const run = uuid();
		await putRun(chat.chat, run, running());
		expect(JSON.parse((await stream.next()).data)).toMatchObject({ id: run });
	});

	it("is told by comments while nothing changes for the client, and is up after an hour; D1 is asked once a minute", async () => {
		const user = uuid();
		const { cookie, token } = await signIn(user);
		const expiresAt = new Date(Date.now() + 7_200_000).toISOString();
		await env.SESSIONS.put(token, JSON.stringify(storedSession(user, token, { expiresAt })));
		const chat = await registeredChat({ user, cookie });
		const run = uuid();
		await putRun(chat.chat, run, running());
		const { calls, ...bindings } = watchBindings();
		const stream = await follow(chat, bindings, `/${run}`);
		await settled();
		// Another run's changes are no news to this client.
		for (let i = 0; i < 2; i++) {
			await passSeconds(10);
			await putRun(chat.chat, uuid(), running());
		}
		await eventually(() => expect(stream.comments).toHaveLength(1));
		const asked = calls.d1.flat().length;
		const event = stream.next().catch((error: Error) => error.message);
		for (let minutes = 0; minutes < 59; minutes++) {
			for (let i = 0; i < 4; i++) await passSeconds(15);
			await settled();
		}
		expect(stream.comments.length).toBeGreaterThan(3 * 59);
		const queries = calls.d1.flat().length - asked;
		expect([queries > 55, queries < 80]).toEqual([true, true]);
		await passSeconds(60);
		expect(await event).toBe("the stream has ended");
		await expectWatchers(chat.chat, 0);
	}, 60_000);

	it("sends a chat of 0.1, which has no change number yet, once", async () => {
		const user = uuid();
		const { cookie } = await signIn(user);
		const chat = { user, cookie, chat: await insertChat(user) };
		await insertRuns(chat.chat, [{}]);
		const stream = await follow(chat);
		await settled();
		await passSeconds(60);
		await settled();
		const run = uuid();
		await putRun(chat.chat, run, running());
		// Its first change begins the trail: what came before cannot be told, and a snapshot comes.
		const events = [await stream.next()];
		expect(events.map(({ event, data }) => [event, JSON.parse(data).workflowRuns?.length])).toEqual([["snapshot", 2]]);
	});

	it.each([
		[
			"a write of 0.1, which tells nobody",
			(chat: string) => recordAs01(chat, { id: uuid(), status: "running" }),
			"snapshot",
		],
		[
			"another owner",
			(chat: string) =>
				env.DB.prepare("update chats set user_id = 'other', revision = 'x' where id = ?").bind(chat).run(),
			"end",
		],
	])("shows within a minute %s", async (_, write, event) => {
		const chat = await registeredChat();
		const stream = await follow(chat);
		await write(chat.chat);
		await settled();
		await passSeconds(60);
		expect((await stream.next()).event).toBe(event);
	});
});

describe("a stream stays, and loses nothing, where", () => {
	it("the hub is evicted: its sockets hibernate", async () => {
		const chat = await registeredChat();
		const stream = await follow(chat);
		await evictDurableObject(hubOf(chat.chat));
		const run = uuid();
		await putRun(chat.chat, run, running());
		expect(JSON.parse((await stream.next()).data)).toMatchObject({ id: run });
	});

	it("a deploy drops the hub's sockets: it dials again, and reads what it missed", async () => {
		const chat = await registeredChat();
		const stream = await follow(chat);
		await evictDurableObject(hubOf(chat.chat), { webSockets: "close" });
		const [missed, told] = [uuid(), uuid()];
		await putRun(chat.chat, missed, running());
		await passSeconds(2);
		expect(JSON.parse((await stream.next()).data)).toMatchObject({ id: missed });
		await expectWatchers(chat.chat, 1);
		await putRun(chat.chat, told, running());
		expect(JSON.parse((await stream.next()).data)).toMatchObject({ id: told });
	});

	it.each([
		["fails", () => Promise.reject(new Error("Durable Object is overloaded."))],
		["hangs", () => new Promise(() => {})],
		["answers without a socket", async () => new Response(null, { status: 500 })],
	])("the hub %s: it looks once a minute, and dials when the hub is back", async (_, fail) => {
		const chat = await registeredChat();
		let isDown = true;
		const HUB = {
			idFromName: () => ({}),
			get: () => ({ fetch: (...args: [string, RequestInit]) => (isDown ? fail() : hubOf(chat.chat).fetch(...args)) }),
		};
		const stream = await open(chat, { bindings: { HUB } });
		expect((await stream.next()).event).toBe("snapshot");
		await passSeconds(6);
		await settled();
		const run = uuid();
		await putRun(chat.chat, run, running());
		await passSeconds(60);
		expect(JSON.parse((await stream.next()).data)).toMatchObject({ id: run });
		isDown = false;
		// It dials in longer and longer intervals, up to a minute.
		await vi.waitFor(
			async () => {
				await passSeconds(2);
				expect(await watchersOf(chat.chat)).toBe(1);
			},
			{ timeout: 20_000 },
		);
	});

	it("no hub is bound: it looks once a minute", async () => {
		const chat = await registeredChat();
		const stream = await open(chat, { bindings: { HUB: undefined } });
		await stream.next();
		await settled();
		const run = uuid();
		await putRun(chat.chat, run, running());
		await passSeconds(60);
		expect(JSON.parse((await stream.next()).data)).toMatchObject({ id: run });
	});

	it("D1 fails while a message was lost: it tries again until D1 is back", async () => {
		const chat = await registeredChat();
		let isDown = false;
		const hooks: Hooks = {
			onD1: () => {
				if (isDown) throw new Error("D1_ERROR: Network connection lost.");
			},
		};
		const { calls, ...bindings } = watchBindings(hooks);
		const stream = await follow(chat, bindings);
		isDown = true;
		const run = uuid();
		await recordAs01(chat.chat, { id: run, status: "running" });
		await putRun(chat.chat, uuid(), running());
		const before = calls.d1.length;
		for (let i = 0; i < 5; i++) await passSeconds(5);
		await eventually(() => expect(calls.d1.length).toBeGreaterThanOrEqual(before + 2));
		isDown = false;
		await passSeconds(31);
		const snapshot = await stream.next();
		expect(snapshot.event).toBe("snapshot");
		expect(snapshot.data).toContain(run);
	});

	it("D1 fails when it comes back: it is told what it lacks later", async () => {
		const chat = await registeredChat();
		const first = await open(chat);
		const { id } = await first.next();
		let isDown = true;
		const { calls: _, ...bindings } = watchBindings({
			onD1: () => {
				if (isDown) throw new Error("D1_ERROR: Network connection lost.");
			},
		});
		const run = uuid();
		await putRun(chat.chat, run, running());
		const back = await open(chat, { bindings, headers: { "last-event-id": id as string } });
		expect(back.status).toBe(200);
		await settled();
		isDown = false;
		await passSeconds(31);
		expect(JSON.parse((await back.next()).data)).toMatchObject({ id: run });
	});

	it("a change is too large to be told: it reads D1", async () => {
		const chat = await registeredChat();
		const stream = await follow(chat);
		const run = uuid();
		const step = (i: number) => ({
			id: `step-${i}`,
			status: "failed",
			completedAt: "2024-02-04T12:00:00Z",
			error: { message: "x".repeat(4_000) },
		});
		await putRun(chat.chat, run, running({ steps: Array.from({ length: 100 }, (_, i) => step(i)) }));
		const event = await stream.next();
		expect([event.event, JSON.parse(event.data).steps.length]).toEqual(["run", 100]);
	});
});

describe("a stream is closed, so that its client comes back, where", () => {
	it("the plan allows no more subrequests", async () => {
		const chat = await registeredChat();
		let isSpent = false;
		const { calls: _, ...bindings } = watchBindings({
			onD1: () => {
				if (isSpent) throw new Error("Too many API requests by single worker invocation.");
			},
		});
		const stream = await follow(chat, bindings);
		isSpent = true;
		await settled();
		await passSeconds(60);
		await ended(stream);
	});

	it("it has asked D1 a hundred times", async () => {
		const chat = await registeredChat();
		const { calls, ...bindings } = watchBindings();
		const stream = await follow(chat, bindings);
		const over = ended(stream);
		let isOver = false;
		void over.then(() => {
			isOver = true;
		});
		for (let change = 10; change < 200 && !isOver; change++) {
			await hubOf(chat.chat).tell({ from: null, to: { change: change, mark: "gap" }, bookmark: null, runs: null });
			await passSeconds(1);
			await settled();
		}
		await over;
		expect(calls.d1.flat().length).toBeLessThanOrEqual(105);
	});

	it("its client takes nothing, not even what it begins with: the log says so", async () => {
		const log = vi.spyOn(console, "log").mockImplementation(() => {});
		const { chat, cookie } = await registeredChat();
		const sent = new Request(`http://edge-runs.test${runsPath(chat)}/stream`, { headers: { cookie } });
		const response = await app.fetch(sent, env as Env, createExecutionContext());
		const requestId = response.headers.get("x-request-id");
		await passSeconds(31);
		const ended = () =>
			log.mock.calls
				.map(([line]) => JSON.parse(line))
				.find((line) => line.event === "stream" && line.requestId === requestId);
		await eventually(() => expect(ended()).toMatchObject({ ended: "slow", events: 0 }));
		await expect(response.text()).rejects.toThrow();
	});

	it("its client takes nothing: what waits for it is bounded, and its line is let go", async () => {
		const chat = await registeredChat();
		const sent = new Request(`http://edge-runs.test${runsPath(chat.chat)}/stream`, {
			headers: { cookie: chat.cookie },
		});
		const { body } = await app.fetch(sent, env as Env, createExecutionContext());
		const reader = (body as ReadableStream<Uint8Array>).getReader();
		let begun = "";
		while (!begun.includes("\nid: ")) begun += new TextDecoder().decode((await reader.read()).value);
		await expectWatchers(chat.chat, 1);
		const put = vi.spyOn(Inbox.prototype, "put");
		const message = "x".repeat(4_000);
		const steps = Array.from({ length: 50 }, (_, i) => ({
			...{ id: `step-${i}`, status: "failed", completedAt: "2024-02-04T12:00:00Z", error: { message } },
		}));
		for (let i = 0; i < 8; i++) await putRun(chat.chat, uuid(), running({ steps }));
		await eventually(() => expect(put).toHaveBeenCalledTimes(8));
		const [inbox] = put.mock.contexts as [Inbox];
		expect(inbox.size).toBeLessThanOrEqual(300_000);
		await passSeconds(31);
		await expectWatchers(chat.chat, 0);
		await expect(
			(async () => {
				while (!(await reader.read()).done);
			})(),
		).rejects.toThrow();
		put.mockRestore();
	});
});

it("a client that is slow, but takes what it is sent, gets a large event and what comes behind it", async () => {
	const writer = new EventWriter(new AbortController().signal);
	const reader = writer.body.getReader();
	const data = "x".repeat(1_000_000);
	const written = writer
		.events([{ event: "snapshot", data }])
		.then(() => writer.events([{ event: "run", data: "{}" }]));
	const BYTES_A_SECOND = 20_000;
	let taken = 0;
	while (taken <= data.length) {
		const { value } = await reader.read();
		taken += value?.length ?? 0;
		await passSeconds((value?.length ?? 0) / BYTES_A_SECOND);
	}
	void reader.read();
	await expect(written).resolves.toBeUndefined();
});

it("a stream that needs a snapshot takes the one that another holds, and D1 is not asked for all runs again", async () => {
	const { chat, user } = await registeredChat();
	await insertRuns(chat, [{}, {}]);
	await putRun(chat, uuid(), running());
	const { calls, ...bindings } = watchBindings();
	const scope = scopeOf({ ...env, ...bindings } as Env, createExecutionContext());
	const unknown = { state: { change: 0, mark: "01234567" }, bookmark: null };
	async function catchUp(userId: string) {
		const events = new EventWriter(new AbortController().signal);
		const caughtUp = chatStream(scope, chat, userId).catchUp(unknown, events);
		const text = async () => {
			const read = new Response(events.body).text();
			await caughtUp;
			await events.close();
			return read;
		};
		return { caughtUp, text };
	}
	const slow = await catchUp(user);
	await eventually(() => expect(calls.d1).toHaveLength(2));
	await settled();
	const quick = await (await catchUp(user)).text();
	expect(calls.d1).toHaveLength(3);
	expect(await slow.text()).toBe(quick);
	expect(quick).toMatch(/^event: snapshot\ndata: {"workflowRuns":\[{"id":.*}\]}\nid: \S+\n\n$/);
	// Whoever is not the owner gets nothing of it.
	await expect((await catchUp(uuid())).caughtUp).rejects.toMatchObject({ code: "CHAT_FORBIDDEN" });
});

it("streams that are opened together hold one snapshot, while the chat is what it was", async () => {
	const { chat, user } = await registeredChat();
	await putRun(chat, uuid(), running());
	const opened = () =>
		openChatStream(scopeOf(env as Env, createExecutionContext()), Promise.resolve({ userId: user }), chat, null);
	const { first } = await opened();
	expect((await opened()).first).toBe(first);
	await putRun(chat, uuid(), running());
	await passSeconds(2);
	const later = (await opened()).first;
	expect(later.map(({ id }) => id)).not.toEqual(first.map(({ id }) => id));
});

it("a change that cannot be told does not have all of a chat's streams read D1 at once", async () => {
	const chat = await registeredChat();
	const { calls, ...bindings } = watchBindings();
	await follow(chat, bindings);
	await settled();
	const asked = calls.d1.length;
	vi.spyOn(Math, "random").mockReturnValue(0.5);
	const message = { from: null, to: { change: 99, mark: "01234567" }, bookmark: null, runs: null, watchers: 2_000 };
	await runInDurableObject(hubOf(chat.chat), (_, state) => {
		for (const watcher of state.getWebSockets()) watcher.send(JSON.stringify(message));
	});
	// The middle of ten seconds, in which 2,000 streams read 200 times a second.
	await passSeconds(4);
	expect(calls.d1.length).toBe(asked);
	await passSeconds(2);
	await eventually(() => expect(calls.d1.length).toBe(asked + 1));
	vi.mocked(Math.random).mockRestore();
});

it("a hub hangs up on a watcher that has given no sign of life for long", async () => {
	const chat = await registeredChat();
	const { webSocket } = await hubOf(chat.chat).fetch("https://hub.invalid/", { headers: { upgrade: "websocket" } });
	webSocket?.accept();
	await expectWatchers(chat.chat, 1);
	await passSeconds(181);
	await putRun(chat.chat, uuid(), running());
	await expectWatchers(chat.chat, 0);
	expect((await hubOf(chat.chat).fetch("https://hub.invalid/")).status).toBe(426);
});

it("a hub that fails a stream's request refuses nothing else", async () => {
	const chat = await registeredChat();
	const stream = await open(chat, { bindings: { HUB: hubsThat({ fetch: () => Promise.reject(new Error("down")) }) } });
	expect(stream.status).toBe(200);
});
