import { describe, expect, it } from "vitest";
import { readRetryAfter } from "#client/errors.ts";
import { createClient, EdgeRunsError, type LineState } from "#client/index.ts";
import { html, numbered, refusal, ScriptedLine, scripted } from "./scripted.ts";

const CHAT = "550e8400-e29b-41d4-a716-446655440000";
const RUN = "5b0c0f1e-6a39-4b61-9f0a-2f6b8f0e7d11";

const rejected = (promise: Promise<unknown>): Promise<unknown> =>
	promise.then(() => "no error").catch((error) => error);

describe("ids", () => {
	const hostile = [
		"../../admin",
		"..%2f..",
		`${CHAT}/../x`,
		`${CHAT}?a=1`,
		`${CHAT}#`,
		` ${CHAT}`,
		"",
		undefined,
		null,
	];

	it.each(hostile)("that are no UUIDs never become part of a path: %j", async (hostileId) => {
		const service = scripted(refusal(404, "CHAT_NOT_FOUND"));
		const client = createClient("https://runs.test", { fetch: service.fetch });
		const id = hostileId as string;
		const report = { workflowId: RUN, status: "running" } as const;
		const ofChat = [
			() => client.listWorkflowRuns(id),
			() => client.getWorkflowRun(id, RUN),
			() => client.watchWorkflowRuns(id).next(),
			() => client.registerChat(id, "user"),
			() => client.recordWorkflowRun(id, RUN, report),
		];
		const ofRun = [() => client.getWorkflowRun(CHAT, id), () => client.recordWorkflowRun(CHAT, id, report)];
		for (const [calls, code] of [
			[ofChat, "INVALID_CHAT_ID"],
			[ofRun, "INVALID_RUN_ID"],
		] as const) {
			for (const call of calls) {
				const error = await rejected(call());
				expect(error).toBeInstanceOf(EdgeRunsError);
				expect(error).toMatchObject({ code, status: 400, message: expect.stringContaining("is not a UUID") });
			}
		}
		expect(() => client.followWorkflowRuns(id)).toThrow(EdgeRunsError);
		expect(service.requests).toEqual([]);
	});
});

describe("createClient", () => {
	it.each([
		[undefined, "is not a string. Is an environment variable missing?"],
		[null, "is not a string. Is an environment variable missing?"],
		["", 'is not a URL. Does it lack its "https://"?'],
		["runs.example.com", 'is not a URL. Does it lack its "https://"?'],
		["/", 'is not a URL. Does it lack its "https://"?'],
		["localhost:3026", "is neither http nor https"],
		["https://user:secret@runs.example.com", "has a user name in it, which fetch refuses"],
		["https://runs.example.com?chat=1", "has a query or a fragment"],
	])("refuses %j at once, and says what to pass", (baseUrl, why) => {
		const create = () => createClient(baseUrl as string);
		expect(create).toThrow(TypeError);
		expect(create).toThrow(why);
		expect(create).toThrow("https://runs.example.com");
	});

	it.each([
		["https://runs.test", "https://runs.test/api/chats"],
		["https://runs.test/", "https://runs.test/api/chats"],
		["http://localhost:3026/behind/a/proxy/", "http://localhost:3026/behind/a/proxy/api/chats"],
	])("takes %s", async (baseUrl, start) => {
		const service = scripted(Response.json({ data: { workflowRuns: [] } }));
		await createClient(baseUrl, { fetch: service.fetch }).listWorkflowRuns(CHAT);
		expect(service.requests[0]?.url).toBe(`${start}/${CHAT}/workflow-runs`);
	});
});

describe("an answer that edge-runs does not give", () => {
	it("is an EdgeRunsError, not a SyntaxError: a sign-in page with 200", async () => {
		const client = createClient("https://runs.test", { fetch: scripted(html()).fetch });
		for (const call of [() => client.listWorkflowRuns(CHAT), () => client.getWorkflowRun(CHAT, RUN)]) {
			expect(await rejected(call())).toMatchObject({
				code: "UNEXPECTED_RESPONSE",
				status: 200,
				message: expect.stringContaining("text/html"),
			});
		}
	});

	it("ends a watch, too", async () => {
		const runs = createClient("https://runs.test", { fetch: scripted(html()).fetch }).watchWorkflowRuns(CHAT);
		expect(await rejected(runs.next())).toMatchObject({ code: "UNEXPECTED_RESPONSE", status: 200 });
	}, 20_000);
});

describe("Retry-After", () => {
	const now = Date.UTC(2024, 1, 4);
	it.each([
		[{}, null],
		[{ "retry-after": "2" }, 2],
		[{ "retry-after": "0" }, null],
		[{ "retry-after": "-5" }, null],
		[{ "retry-after": "soon" }, null],
		[{ "retry-after": "99999999999" }, 86_400],
		[{ "retry-after": "Sun, 04 Feb 2024 00:02:00 GMT" }, 120],
		[{ "retry-after": "Sat, 03 Feb 2024 00:02:00 GMT" }, null],
		[{ "retry-after": "Fri, 31 Dec 9999 23:59:59 GMT" }, 86_400],
		// By the server's clock, where it says it.
		[{ "retry-after": "Sun, 04 Feb 2024 00:02:00 GMT", date: "Sun, 04 Feb 2024 00:01:30 GMT" }, 30],
	])("%j is %s seconds", (headers, seconds) => {
		expect(readRetryAfter(new Headers(headers as Record<string, string>), now)).toBe(seconds);
	});
});

describe("watching", () => {
	it("works where a ReadableStream cannot be iterated, as in some Safaris", async () => {
		const iterate = Object.getOwnPropertyDescriptor(ReadableStream.prototype, Symbol.asyncIterator);
		Reflect.deleteProperty(ReadableStream.prototype, Symbol.asyncIterator);
		try {
			const line = new ScriptedLine();
			const runs = createClient("https://runs.test", { fetch: scripted(line).fetch }).watchWorkflowRuns(CHAT);
			line.send("snapshot", { workflowRuns: [numbered(1)] }, "a");
			expect((await runs.next()).value).toHaveLength(1);
			await runs.return();
		} finally {
			if (iterate) Object.defineProperty(ReadableStream.prototype, Symbol.asyncIterator, iterate);
		}
	});

	it("tells the state of the line: a service that cannot be reached does not look like one that is slow", async () => {
		const states: LineState[] = [];
		const stop = new AbortController();
		const client = createClient("https://runs.test", { fetch: scripted(new TypeError("Failed to fetch")).fetch });
		const next = client
			.watchWorkflowRuns(CHAT, {
				signal: stop.signal,
				onState(state) {
					states.push(state);
					if (state.status === "reconnecting") stop.abort();
				},
			})
			.next();
		expect(await next).toEqual({ done: true, value: undefined });
		expect(states.map(({ status }) => status)).toEqual(["connecting", "reconnecting", "ended"]);
		expect(states[1]).toMatchObject({ reason: "no_answer", nextTryAt: expect.any(Number) });
	});

	it("gives who is slow the newest runs alone", async () => {
		const line = new ScriptedLine();
		const runs = createClient("https://runs.test", { fetch: scripted(line).fetch }).watchWorkflowRuns(CHAT);
		line.send("snapshot", { workflowRuns: [numbered(1)] }, "a");
		expect((await runs.next()).value).toHaveLength(1);
		line.send("run", numbered(2), "b");
		line.send("run", numbered(3), "c");
		const second = (await runs.next()).value;
		const length = second?.length === 3 ? 3 : (await runs.next()).value?.length;
		expect(length).toBe(3);
		await runs.return();
		expect(line.isCancelled).toBe(true);
	});

	it("that was stopped before asks for nothing", async () => {
		const service = scripted(new ScriptedLine());
		const client = createClient("https://runs.test", { fetch: service.fetch });
		const runs = client.watchWorkflowRuns(CHAT, { signal: AbortSignal.abort() });
		expect(await runs.next()).toEqual({ done: true, value: undefined });
		expect(service.requests).toEqual([]);
	});
});
