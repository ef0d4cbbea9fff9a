import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { type EventSourceMessage, EventSourceParserStream } from "eventsource-parser/stream";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { app } from "../../../src/app.ts";
import type { Env } from "../../../src/env.ts";
import { request, runsPath, signIn, storedSession, uuid } from "../helpers.ts";
import { type OwnedChat, putRun, recording, registeredChat, report } from "../recording/recorder.ts";
import { type Hooks, watchBindings } from "../watch-bindings.ts";

const opened: ReadableStreamDefaultReader[] = [];
afterAll(async () => {
	await Promise.all(opened.map((reader) => reader.cancel().catch(() => {})));
});

interface Stream {
	status: number;
	headers: Headers;
	/** The next event. */
	next(): Promise<EventSourceMessage>;
	/** Comments so far. */
	comments: string[];
	close(): Promise<void>;
}

async function open(
	{ chat, cookie }: OwnedChat,
	{
		path = "",
		headers = {},
		bindings = {},
	}: { path?: string; headers?: Record<string, string>; bindings?: object } = {},
): Promise<Stream> {
	const sent = new Request(`http://edge-runs.test${runsPath(chat)}${path}/stream`, { headers: { cookie, ...headers } });
	const response = await app.fetch(sent, { ...env, ...bindings } as Env, createExecutionContext());
	const comments: string[] = [];
	const reader = (response.body ?? new Response("").body)
		?.pipeThrough(new TextDecoderStream())
		.pipeThrough(new EventSourceParserStream({ onComment: (comment) => comments.push(comment) }))
		.getReader() as ReadableStreamDefaultReader<EventSourceMessage>;
	opened.push(reader);
	return {
		status: response.status,
		headers: response.headers,
		comments,
		async next() {
			const { value, done } = await reader.read();
			if (done || !value) throw new Error("the stream has ended");
			return value;
		},
		close: () => reader.cancel(),
	};
}

async function until(condition: () => boolean): Promise<void> {
	while (!condition()) await new Promise((resolve) => setTimeout(resolve, 50));
}

const ended = async (stream: Stream) => expect(stream.next()).rejects.toThrow("the stream has ended");
const running = (more: Record<string, unknown> = {}) => report({ status: "running", completedAt: null, ...more });

describe.concurrent("a chat's stream", () => {
	it("begins with all runs, as the list has them, and goes on with each that changes", async () => {
		const chat = await registeredChat();
		const [one, other] = [uuid(), uuid()];
		await putRun(chat.chat, one, running());
		await putRun(chat.chat, other, running());
		const stream = await open(chat);
		expect(stream.status).toBe(200);
		expect(stream.headers.get("content-type")).toBe("text/event-stream");
		expect(stream.headers.get("x-request-id")).toBeTruthy();
		const list = await (await request(runsPath(chat.chat), { headers: { cookie: chat.cookie } })).json<{
			data: object;
		}>();
		const snapshot = await stream.next();
		expect(snapshot.event).toBe("snapshot");
		expect(JSON.parse(snapshot.data)).toEqual(list.data);

		await putRun(chat.chat, one, report());
		const changed = await stream.next();
		expect(changed.event).toBe("run");
		expect(JSON.parse(changed.data)).toMatchObject({ id: one, chatId: chat.chat, status: "completed" });
		expect(changed.id).not.toBe(snapshot.id);

		const third = uuid();
		await putRun(chat.chat, third, running());
		expect(JSON.parse((await stream.next()).data)).toMatchObject({ id: third });
	});

	it("gives only the last of several changed runs an id, so that nothing is missed between them", async () => {
		const chat = await registeredChat();
		const stream = await open(chat);
		await stream.next();
		await request(
			runsPath(chat.chat),
			recording("PATCH", { workflowRuns: [1, 2, 3].map(() => ({ id: uuid(), ...running() })) }),
		);
		const events = [await stream.next(), await stream.next(), await stream.next()];
		expect(events.map(({ event, id }) => [event, id !== undefined])).toEqual([
			["run", false],
			["run", false],
			["run", true],
		]);
	});

	it("sends nothing again to a client that comes back to an unchanged chat, and a snapshot to another", async () => {
		const chat = await registeredChat();
		await putRun(chat.chat, uuid(), running());
		const first = await open(chat);
		const { id } = await first.next();
		await first.close();

		const unchanged = await open(chat, { headers: { "last-event-id": id as string } });
		const run = uuid();
		await putRun(chat.chat, run, running());
		const next = await unchanged.next();
		expect([next.event, JSON.parse(next.data).id]).toEqual(["run", run]);

		for (const lastEventId of [id as string, "never-was", ""]) {
			const behind = await open(chat, { headers: { "last-event-id": lastEventId } });
			const snapshot = await behind.next();
			expect(snapshot.event).toBe("snapshot");
			expect(JSON.parse(snapshot.data).workflowRuns).toHaveLength(2);
		}
	});

	it("sends a snapshot where a run has gone", async () => {
		const chat = await registeredChat();
		const [stays, goes] = [uuid(), uuid()];
		for (const run of [stays, goes]) await putRun(chat.chat, run, running());
		const stream = await open(chat);
		await stream.next();
		await env.DB.batch([
			env.DB.prepare("delete from workflow_runs where id = ?").bind(goes),
			env.DB.prepare("update chats set revision = ? where id = ?").bind(uuid(), chat.chat),
		]);
		const snapshot = await stream.next();
		expect(snapshot.event).toBe("snapshot");
		expect(JSON.parse(snapshot.data).workflowRuns.map((run: { id: string }) => run.id)).toEqual([stays]);
	});

	it("tells the client when to come back, at once", async () => {
		const chat = await registeredChat();
		const response = await request(`${runsPath(chat.chat)}/stream`, { headers: { cookie: chat.cookie } });
		const reader = (response.body as ReadableStream<Uint8Array>).getReader();
		expect(new TextDecoder().decode((await reader.read()).value)).toBe("retry: 2000\n\n");
		await reader.cancel();
	});

	it("asks D1 once a second for all streams of a chat together, and stops when they have gone", async () => {
		const chat = await registeredChat();
		await putRun(chat.chat, uuid(), running());
		const { calls, ...bindings } = watchBindings();
		const streams = await Promise.all(Array.from({ length: 20 }, () => open(chat, { bindings })));
		await Promise.all(streams.map((stream) => stream.next()));
		const before = calls.d1.length;
		await new Promise((resolve) => setTimeout(resolve, 3_000));
		const asked = calls.d1.length - before;
		expect(asked).toBeGreaterThanOrEqual(1);
		expect(asked).toBeLessThanOrEqual(3);

		await putRun(chat.chat, uuid(), running());
		for (const event of await Promise.all(streams.map((stream) => stream.next()))) expect(event.event).toBe("run");

		await Promise.all(streams.map((stream) => stream.close()));
		// Those that were asking when the clients left are done by then.
		await new Promise((resolve) => setTimeout(resolve, 1_500));
		const left = [calls.d1.length, calls.kv.length];
		await new Promise((resolve) => setTimeout(resolve, 2_000));
		expect([calls.d1.length, calls.kv.length]).toEqual(left);
	}, 20_000);

	it("stays through a D1 outage, and catches up", async () => {
		const chat = await registeredChat();
		let isDown = false;
		const hooks: Hooks = {
			onD1: () => {
				if (isDown) throw new Error("D1_ERROR: Network connection lost.");
			},
		};
		const { calls, ...bindings } = watchBindings(hooks);
		const stream = await open(chat, { bindings });
		await stream.next();
		isDown = true;
		const run = uuid();
		await putRun(chat.chat, run, running());
		const event = stream.next();
		const before = calls.d1.length;
		await until(() => calls.d1.length >= before + 2);
		isDown = false;
		expect(JSON.parse((await event).data)).toMatchObject({ id: run });
	});

	it("ends when the chat is deleted, and says so", async () => {
		const chat = await registeredChat();
		const stream = await open(chat);
		await stream.next();
		await request(`/api/chats/${chat.chat}`, recording("DELETE"));
		expect(await stream.next()).toMatchObject({ event: "end", data: '{"reason":"chat_deleted"}' });
		await ended(stream);
	});

	it("ends when the chat has another owner", async () => {
		const chat = await registeredChat();
		const stream = await open(chat);
		await stream.next();
		await env.DB.prepare("update chats set user_id = 'other', revision = 'x' where id = ?").bind(chat.chat).run();
		expect(await stream.next()).toMatchObject({ event: "end", data: '{"reason":"chat_forbidden"}' });
		await ended(stream);
	});
});

describe("time in a stream", () => {
	const now = Date.now.bind(Date);
	let passed = 0;
	beforeAll(() => {
		vi.spyOn(Date, "now").mockImplementation(() => now() + passed * 1000);
	});
	afterAll(() => {
		vi.restoreAllMocks();
	});

	/** Lets the clock go on from another time, once the stream has taken note of this one. */
	async function passSeconds(seconds: number): Promise<void> {
		await new Promise((resolve) => setTimeout(resolve, 100));
		passed += seconds;
	}

	it("ends it within a minute of the session's end", async () => {
		const user = uuid();
		const session = await signIn(user);
		const chat = await registeredChat({ user, cookie: session.cookie });
		const stream = await open(chat);
		await stream.next();
		await env.SESSIONS.delete(session.token);
		await passSeconds(61);
		expect(await stream.next()).toMatchObject({ event: "end", data: '{"reason":"session_ended"}' });
		await ended(stream);
	});

	it("does not end it where KV fails: nobody is logged out by an outage", async () => {
		const chat = await registeredChat();
		let isDown = false;
		const { calls, ...bindings } = watchBindings({
			onKv: () => {
				if (isDown) throw new Error("KV GET failed: 500");
			},
		});
		const stream = await open(chat, { bindings });
		await stream.next();
		isDown = true;
		await passSeconds(61);
		const event = stream.next();
		await until(() => calls.kv.length >= 3);
		isDown = false;
		const run = uuid();
		await putRun(chat.chat, run, running());
		expect(JSON.parse((await event).data)).toMatchObject({ id: run });
	});

	it("is told by comments while nothing changes, and is up after an hour", async () => {
		const user = uuid();
		const { cookie, token } = await signIn(user);
		const expiresAt = new Date(Date.now() + 7_200_000).toISOString();
		await env.SESSIONS.put(token, JSON.stringify(storedSession(user, token, { expiresAt })));
		const chat = await registeredChat({ user, cookie });
		const stream = await open(chat);
		await stream.next();
		await passSeconds(16);
		const event = stream.next().catch((error: Error) => error.message);
		await until(() => stream.comments.length > 0);
		await passSeconds(3600);
		expect(await event).toBe("the stream has ended");
	});
});

it("closes a stream where the plan allows no more subrequests, so that its client comes back", async () => {
	const chat = await registeredChat();
	let isSpent = false;
	const spent = () => {
		if (isSpent) throw new Error("Too many API requests by single worker invocation.");
	};
	const { calls: _, ...bindings } = watchBindings({ onD1: spent });
	const stream = await open(chat, { bindings });
	await stream.next();
	isSpent = true;
	const match = vi.spyOn(caches, "open").mockImplementation(async () => spent() as never);
	await ended(stream);
	match.mockRestore();
});

describe.concurrent("a run's stream", () => {
	it("follows the run alone, and ends with it", async () => {
		const chat = await registeredChat();
		const [run, other] = [uuid(), uuid()];
		await putRun(chat.chat, run, running());
		const stream = await open(chat, { path: `/${run}` });
		expect(JSON.parse((await stream.next()).data)).toMatchObject({ id: run, status: "running" });
		await putRun(chat.chat, other, running());
		await putRun(chat.chat, run, running({ steps: [{ id: "step-1", status: "running" }] }));
		const changed = await stream.next();
		expect([changed.event, JSON.parse(changed.data).steps.length]).toEqual(["run", 1]);
		await putRun(chat.chat, run, report());
		expect(JSON.parse((await stream.next()).data)).toMatchObject({ id: run, status: "completed" });
		expect(await stream.next()).toMatchObject({ event: "end", data: '{"reason":"run_ended"}' });
		await ended(stream);
	});

	it("is over at once where the run is, and 204 to a client that knows, so that EventSource stays away", async () => {
		const chat = await registeredChat();
		const run = uuid();
		await putRun(chat.chat, run, report());
		const stream = await open(chat, { path: `/${run}` });
		const { id } = await stream.next();
		expect((await stream.next()).event).toBe("end");
		await ended(stream);
		expect((await open(chat, { path: `/${run}`, headers: { "last-event-id": id as string } })).status).toBe(204);
	});

	it("is 404 for a run that is not the chat's", async () => {
		const chat = await registeredChat();
		expect((await open(chat, { path: `/${uuid()}` })).status).toBe(404);
	});
});
