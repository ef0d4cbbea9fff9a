import { env } from "cloudflare:workers";
import { afterAll, describe, expect, it } from "vitest";
import { eventually, insertRuns, request, requestWith, runsPath, uuid } from "../helpers.ts";
import { patchRuns, putRun, readList, recording, registeredChat, report, runCron } from "../recording/recorder.ts";
import { watchBindings } from "../watch-bindings.ts";
import { hubOf, watchersOf } from "./hub.ts";
import { closeStreams, open, type Stream } from "./streams.ts";
import { recordAs01 } from "./version-01.ts";

afterAll(closeStreams);

const ended = (stream: Stream) => expect(stream.next()).rejects.toThrow("the stream has ended");
const running = (more: Record<string, unknown> = {}) => report({ status: "running", completedAt: null, ...more });
const idsIn = (snapshot: { data: string }) =>
	(JSON.parse(snapshot.data).workflowRuns as { id: string }[]).map(({ id }) => id);

const expectWatchers = (chat: string, count: number) =>
	eventually(async () => expect(await watchersOf(chat)).toBe(count));

describe.concurrent("a chat's stream", () => {
	it("begins with all runs, as the list has them, and goes on with each that changes", async () => {
		const chat = await registeredChat();
		const [one, other] = [uuid(), uuid()];
		await putRun(chat.chat, one, running());
		await putRun(chat.chat, other, running());
		const stream = await open(chat);
		expect(stream.status).toBe(200);
		expect(stream.headers.get("content-type")).toBe("text/event-stream");
		expect(stream.headers.get("cache-control")).toBe("private, no-store");
		expect(stream.headers.get("x-request-id")).toBeTruthy();
		const list = await request(runsPath(chat.chat), { headers: { cookie: chat.cookie } });
		const snapshot = await stream.next();
		expect(snapshot.event).toBe("snapshot");
		expect(JSON.parse(snapshot.data)).toEqual((await list.json<{ data: object }>()).data);

		const steps = [{ id: "step-1", name: 'Fetch "all" \u2028', status: "failed", completedAt: "2024-02-04T12:00:01Z" }];
		const written = await putRun(
			chat.chat,
			one,
			report({ steps, status: "failed", error: { message: "No\u0000 \ud83d" } }),
		);
		const changed = await stream.next();
		expect(changed.event).toBe("run");
		expect(JSON.parse(changed.data)).toMatchObject({ id: one, chatId: chat.chat, status: "failed" });
		expect(changed.id).not.toBe(snapshot.id);

		const third = uuid();
		await putRun(chat.chat, third, running());
		expect(JSON.parse((await stream.next()).data)).toMatchObject({ id: third });
		// What the hub tells is, byte for byte, what D1 puts together.
		expect((await readList(chat, written)).text).toContain(changed.data);
	});

	it("gives only the last of several changed runs an id, so that nothing is missed between them", async () => {
		const chat = await registeredChat();
		const stream = await open(chat);
		await stream.next();
		await patchRuns(
			chat.chat,
			[1, 2, 3].map(() => ({ id: uuid(), ...running() })),
		);
		const events = [await stream.next(), await stream.next(), await stream.next()];
		expect(events.map(({ event, id }) => [event, id !== undefined])).toEqual([
			["run", false],
			["run", false],
			["run", true],
		]);
	});

	it("sends a client that comes back what has changed since, and nothing else", async () => {
		const chat = await registeredChat();
		const [one, other] = [uuid(), uuid()];
		await insertRuns(
			chat.chat,
			Array.from({ length: 1_000 }, () => ({ steps: `[{"id":"${"x".repeat(300)}"}]` })),
		);
		await putRun(chat.chat, one, running());
		const first = await open(chat);
		const { id, data } = await first.next();
		expect(data.length).toBeGreaterThan(300_000);
		await first.close();

		const unchanged = await open(chat, { headers: { "last-event-id": id as string } });
		await putRun(chat.chat, other, running());
		const next = await unchanged.next();
		expect([next.event, JSON.parse(next.data).id]).toEqual(["run", other]);
		await putRun(chat.chat, one, report());
		expect(JSON.parse((await unchanged.next()).data).id).toBe(one);

		const behind = await open(chat, { headers: { "last-event-id": id as string } });
		const events = [await behind.next(), await behind.next()];
		expect(events.map(({ event, data, id }) => [event, JSON.parse(data).id, id !== undefined])).toEqual([
			["run", other, false],
			["run", one, true],
		]);
		expect(events.map(({ data }) => data).join().length).toBeLessThan(2_000);
	});

	it.each([
		["an id of 0.1", "0123456789abcdef0123456789abcdef"],
		["a state that never was", "1.00000000"],
		["a number alone", "3"],
		["no id", ""],
	])("sends a snapshot to a client that comes back with %s", async (_, lastEventId) => {
		const chat = await registeredChat();
		const run = uuid();
		await putRun(chat.chat, run, running());
		const stream = await open(chat, { headers: { "last-event-id": lastEventId } });
		const snapshot = await stream.next();
		expect([snapshot.event, idsIn(snapshot)]).toEqual(["snapshot", [run]]);
	});

	it("sends a snapshot to a client that comes back across a deletion, or a write of 0.1", async () => {
		const chat = await registeredChat();
		const run = uuid();
		const stream = await open(chat);
		const { id } = await stream.next();
		await stream.close();
		await recordAs01(chat.chat, { id: run, status: "running" });
		await putRun(chat.chat, uuid(), running());
		const back = await open(chat, { headers: { "last-event-id": id as string } });
		const snapshot = await back.next();
		expect([snapshot.event, idsIn(snapshot).includes(run)]).toEqual(["snapshot", true]);
	});

	describe("of more than 4 MB", () => {
		/** Texts that look like the ends and beginnings of runs. */
		const output = {
			text: '"}]},{"id":"\\',
			runs: [{ id: uuid(), chatId: uuid(), workflowId: uuid(), steps: [[], {}] }],
		};
		const step = { id: "a", status: "pending", startedAt: null, completedAt: null };
		const RUNS = 50;
		/** Whatever has just been written is in what a stream begins with. */
		const NOT_FRESH = { FRESH_SECONDS: 0 };

		async function largeChat() {
			const chat = await registeredChat();
			const steps = JSON.stringify([{ ...step, output: "é".repeat(50_000) }]);
			const details = JSON.stringify({ output });
			await insertRuns(chat.chat, Array(RUNS).fill({ steps, details }));
			// The chat's own change, as the runs were put there behind its back.
			await putRun(chat.chat, uuid(), running());
			return chat;
		}

		/** A client's runs: what its events told it so far, up to the one with an id. */
		async function take(stream: Stream) {
			const events = [await stream.next()];
			while (events.at(-1)?.id === undefined) events.push(await stream.next());
			const [first, ...more] = events as [(typeof events)[number]];
			const runs = JSON.parse(first.data).workflowRuns as { id: string }[];
			for (const { data } of more) runs.push(JSON.parse(data));
			return { events, runs, id: events.at(-1)?.id as string };
		}

		const list = async ({ chat, cookie }: { chat: string; cookie: string }) =>
			(
				await (
					await requestWith(NOT_FRESH, runsPath(chat), { headers: { cookie } })
				).json<{ data: { workflowRuns: object[] } }>()
			).data.workflowRuns;

		it("begins with a snapshot in parts, each of at most 4 MB and only the last with an id", async () => {
			const chat = await largeChat();
			const { events, runs } = await take(await open(chat, { bindings: NOT_FRESH }));
			expect(new Set(events.slice(1).map(({ event }) => event))).toEqual(new Set(["run"]));
			expect([events[0]?.event, events.length > 5, events.length < RUNS]).toEqual(["snapshot", true, true]);
			for (const { data } of events) expect(new TextEncoder().encode(data).byteLength).toBeLessThan(4_000_000);
			expect(runs).toEqual(await list(chat));
		});

		it("begins again for a client that was cut off in the middle, and goes on for one that has it all", async () => {
			const chat = await largeChat();
			const cut = await open(chat);
			expect((await cut.next()).id).toBeUndefined();
			expect((await cut.next()).id).toBeUndefined();
			await cut.close();
			// Meanwhile a run comes.
			const changed = uuid();
			await putRun(chat.chat, changed, running());
			// A client sends the id that it last had: none.
			const { runs, id } = await take(await open(chat, { bindings: NOT_FRESH }));
			expect(runs).toEqual(await list(chat));
			await putRun(chat.chat, changed, report());
			const back = await open(chat, { headers: { "last-event-id": id } });
			expect(await back.next()).toMatchObject({ event: "run", data: expect.stringContaining(changed) });
		});

		it("begins again, not where it was, for a client whose state before was another", async () => {
			const chat = await registeredChat();
			const first = await open(chat);
			const { id } = await first.next();
			await first.close();
			const steps = JSON.stringify([{ ...step, output: "x".repeat(150_000) }]);
			await insertRuns(chat.chat, Array(RUNS).fill({ steps }));
			await recordAs01(chat.chat, { id: uuid(), status: "running" });
			for (const parts of [2, Number.POSITIVE_INFINITY]) {
				const back = await open(chat, { headers: { "last-event-id": id as string } });
				if (parts === 2) {
					await back.next();
					await back.close();
				} else expect((await take(back)).runs).toEqual(await list(chat));
			}
		});
	});

	it("ends when the chat is deleted, and says so; a client that comes back is told 404", async () => {
		const chat = await registeredChat();
		const stream = await open(chat);
		const { id } = await stream.next();
		await request(`/api/chats/${chat.chat}`, recording("DELETE"));
		expect(await stream.next()).toMatchObject({ event: "end", data: '{"reason":"chat_deleted"}' });
		await ended(stream);
		expect((await open(chat, { headers: { "last-event-id": id as string } })).status).toBe(404);
	});

	it("tells the client when to come back, at once", async () => {
		const chat = await registeredChat();
		const response = await request(`${runsPath(chat.chat)}/stream`, { headers: { cookie: chat.cookie } });
		const reader = (response.body as ReadableStream<Uint8Array>).getReader();
		expect(new TextDecoder().decode((await reader.read()).value)).toBe("retry: 2000\n\n");
		await reader.cancel();
	});

	it("is refused to strangers, whatever they say they have", async () => {
		const [mine, other] = [await registeredChat(), await registeredChat()];
		for (const headers of [{}, { "last-event-id": "1.00000000" }]) {
			expect((await open({ ...mine, cookie: other.cookie }, { headers })).status).toBe(403);
			expect((await open({ ...mine, chat: uuid() }, { headers })).status).toBe(404);
			expect((await open({ ...mine, cookie: "none" }, { headers })).status).toBe(401);
		}
		expect(await watchersOf(mine.chat)).toBe(0);
	});

	it("passes on what the hub tells without asking D1, and lets go of its line when its client has gone", async () => {
		const chat = await registeredChat();
		const { calls, ...bindings } = watchBindings();
		const streams = await Promise.all(Array.from({ length: 20 }, () => open(chat, { bindings })));
		await Promise.all(streams.map((stream) => stream.next()));
		await expectWatchers(chat.chat, 20);
		// Each has read what it lacked behind dialling in.
		await putRun(chat.chat, uuid(), running());
		for (const event of await Promise.all(streams.map((stream) => stream.next()))) expect(event.event).toBe("run");
		const before = [calls.d1.length, calls.kv.length];
		await putRun(chat.chat, uuid(), running());
		for (const event of await Promise.all(streams.map((stream) => stream.next()))) expect(event.event).toBe("run");
		expect([calls.d1.length, calls.kv.length]).toEqual(before);
		await Promise.all(streams.map((stream) => stream.close()));
		await expectWatchers(chat.chat, 0);
	});

	it("lets go of its line when its request is aborted", async () => {
		const chat = await registeredChat();
		const client = new AbortController();
		const stream = await open(chat, { signal: client.signal });
		await stream.next();
		await expectWatchers(chat.chat, 1);
		client.abort();
		await expectWatchers(chat.chat, 0);
	});
});

describe.concurrent("a run's stream", () => {
	it("follows the run alone, and ends with it", async () => {
		const chat = await registeredChat();
		const [run, other] = [uuid(), uuid()];
		await putRun(chat.chat, run, running());
		const stream = await open(chat, { path: `/${run}` });
		expect(stream.headers.get("cache-control")).toBe("private, no-store");
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

	it("is over at once where the run has ended, and 204 to a client that knows, though another run has changed", async () => {
		const chat = await registeredChat();
		const run = uuid();
		await putRun(chat.chat, run, report());
		const stream = await open(chat, { path: `/${run}` });
		const { id } = await stream.next();
		expect((await stream.next()).event).toBe("end");
		await ended(stream);
		await putRun(chat.chat, uuid(), running());
		const headers = { "last-event-id": id as string };
		expect((await open(chat, { path: `/${run}`, headers })).status).toBe(204);
		expect((await open(chat, { path: `/${run}`, headers: { "last-event-id": "9.00000000" } })).status).toBe(200);
	});

	it("sends nothing again to a client that has the run as it is", async () => {
		const chat = await registeredChat();
		const run = uuid();
		await putRun(chat.chat, run, running());
		const { id } = await (await open(chat, { path: `/${run}` })).next();
		await putRun(chat.chat, uuid(), running());
		const back = await open(chat, { path: `/${run}`, headers: { "last-event-id": id as string } });
		await putRun(chat.chat, run, report());
		expect(JSON.parse((await back.next()).data).status).toBe("completed");
	});

	it("is there as soon as the run is, though a copy without it is fresh", async () => {
		const chat = await registeredChat();
		await request(runsPath(chat.chat), { headers: { cookie: chat.cookie } });
		const run = uuid();
		await putRun(chat.chat, run, running());
		const stream = await open(chat, { path: `/${run}` });
		expect([stream.status, JSON.parse((await stream.next()).data).id]).toEqual([200, run]);
	});

	it("ends where the run has gone", async () => {
		const chat = await registeredChat();
		const [run] = await insertRuns(chat.chat, [{ status: "running", completedAt: null }]);
		const stream = await open(chat, { path: `/${run}` });
		await stream.next();
		await expectWatchers(chat.chat, 1);
		await env.DB.prepare("delete from workflow_runs where id = ?").bind(run).run();
		await hubOf(chat.chat).tell({ from: null, to: { change: 99, mark: "gap" }, bookmark: null, runs: null });
		expect(await stream.next()).toMatchObject({ event: "end", data: '{"reason":"run_ended"}' });
	});

	it("is 404 for a run that is not the chat's, and for one of another chat", async () => {
		const [chat, other] = [await registeredChat(), await registeredChat()];
		const run = uuid();
		await putRun(other.chat, run, running());
		expect((await open(chat, { path: `/${uuid()}` })).status).toBe(404);
		expect((await open(chat, { path: `/${run}` })).status).toBe(404);
	});
});

// Alone: the cron gives up the runs of all chats.
it("one run's stream goes on past an end that is only assumed: there may be news", async () => {
	const chat = await registeredChat();
	const run = uuid();
	await putRun(chat.chat, run, running());
	const stream = await open(chat, { path: `/${run}` });
	await stream.next();
	await expectWatchers(chat.chat, 1);
	await runCron({ GIVE_UP_HOURS: "24" }, new Date(Date.now() + 90_000_000));
	const { data, id } = await stream.next();
	expect(JSON.parse(data)).toMatchObject({ id: run, status: "failed", assumed: true });
	const back = await open(chat, { path: `/${run}`, headers: { "last-event-id": id as string } });
	await putRun(chat.chat, run, running({ steps: [{ id: "step-1", status: "running" }] }));
	for (const each of [stream, back]) expect(JSON.parse((await each.next()).data).status).toBe("running");
	await putRun(chat.chat, run, report());
	for (const each of [stream, back]) {
		expect(JSON.parse((await each.next()).data).status).toBe("completed");
		expect((await each.next()).event).toBe("end");
	}
});
