import { beforeAll, describe, expect, it, vi } from "vitest";
import { AgUiReader } from "#protocol/ag-ui.ts";
import { RunState } from "#protocol/run-state.ts";
import { uuidFor } from "#protocol/uuid.ts";
import type { ErrorBody } from "../../../src/errors.ts";
import type { WorkflowRun } from "../../../src/workflow-runs/schemas.ts";
import { request, uuid } from "../helpers.ts";
import { type OwnedChat, readList, recording, registeredChat, wholeDatabase } from "./recorder.ts";

let owned: OwnedChat;
beforeAll(async () => {
	owned = await registeredChat();
});

const JSON_TYPE = "application/json";
const NDJSON = "application/x-ndjson";
const SSE = "text/event-stream";

function send(body: string | unknown[], { type = JSON_TYPE, query = "", chat = owned.chat } = {}): Promise<Response> {
	const path = `/api/chats/${chat}/ag-ui-events${query}`;
	return request(path, recording("POST", body, { "content-type": type }));
}

/** The one run that a response tells of. */
async function runIn(response: Response): Promise<WorkflowRun> {
	const { data } = await response.json<{ data: { workflowRuns: [WorkflowRun, ...WorkflowRun[]] } }>();
	expect(data.workflowRuns).toHaveLength(1);
	return data.workflowRuns[0];
}

const at = (second: number) => ({ timestamp: Date.UTC(2024, 1, 4, 12, 0, second) });
const time = (second: number) => new Date(at(second).timestamp).toISOString();
const started = (runId: string, second = 0) => ({ type: "RUN_STARTED", threadId: "t", runId, ...at(second) });
const finished = (runId: string, second: number) => ({ type: "RUN_FINISHED", threadId: "t", runId, ...at(second) });
const begin = (stepName: string, second: number) => ({ type: "STEP_STARTED", stepName, ...at(second) });
const end = (stepName: string, second: number) => ({ type: "STEP_FINISHED", stepName, ...at(second) });

/** A whole run: two steps of one name, a tool call inside the second, and events that say nothing of a run. */
const wholeRun = (runId: string) => [
	started(runId),
	{ type: "TEXT_MESSAGE_START", messageId: "m", role: "assistant" },
	begin("look", 1),
	end("look", 2),
	{ type: "A_NEWER_EVENT", of: "another version" },
	begin("look", 3),
	{ type: "TOOL_CALL_START", toolCallId: "c", toolCallName: "weather", ...at(3) },
	{ type: "TOOL_CALL_RESULT", toolCallId: "c", messageId: "r", content: "sunny", ...at(4) },
	end("look", 5),
	finished(runId, 6),
];
const wholeSteps = [
	{ id: "step:look-1", name: "look", status: "completed", startedAt: time(1), completedAt: time(2) },
	{ id: "step:look-2", name: "look", status: "completed", startedAt: time(3), completedAt: time(5) },
	{ id: "tool:c", name: "weather", status: "completed", startedAt: time(3), completedAt: time(4) },
];
const withoutPosition = ({ steps }: WorkflowRun) =>
	steps.map(({ position: _, ...step }) => step).sort((a, b) => (a.id < b.id ? -1 : 1));

describe("AG-UI events are recorded", () => {
	const write: Record<string, (events: unknown[]) => string> = {
		[JSON_TYPE]: (events) => JSON.stringify(events),
		[NDJSON]: (events) => events.map((event) => `${JSON.stringify(event)}\n`).join(""),
		"application/jsonl; charset=utf-8": (events) => events.map((event) => JSON.stringify(event)).join("\r\n"),
		[SSE]: (events) => events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(""),
		// All that the format allows: a byte order mark, comments, other fields, data over several lines, no last empty line.
		"Text/Event-Stream;charset=utf-8": (events) => {
			const messages = events.map((event) => JSON.stringify(event, null, 1).replace(/^/gm, "data:"));
			return `\ufeff: hello\r\n\r\nretry: 1\r\n${messages.join("\r\nid: 7\r\nevent: x\r\n\r\n")}`;
		},
	};

	it.each(Object.keys(write))("as %s", async (type) => {
		const runId = `run ${uuid()}`;
		const response = await send(write[type]?.(wholeRun(runId)) ?? "", {
			type,
			query: "?workflow=weather&outputs=true",
		});
		expect(response.status).toBe(201);
		const run = await runIn(response.clone());
		expect(run).toMatchObject({
			id: uuidFor("ag-ui", runId),
			externalId: runId,
			workflowId: uuidFor("workflow", "weather"),
			workflowName: "weather",
			status: "completed",
			startedAt: time(0),
			completedAt: time(6),
		});
		const parentId = "step:look-2";
		expect(withoutPosition(run)).toMatchObject([
			...wholeSteps.slice(0, 2),
			{ ...wholeSteps[2], parentId, output: "sunny" },
		]);
		const { workflowRuns } = await readList(owned, response);
		expect(workflowRuns.find(({ id }) => id === run.id)).toEqual(run);
	});

	it("with an error, tokens, and no outputs unless they are asked for", async () => {
		const runId = uuid();
		const run = await runIn(
			await send([
				started(runId),
				{ type: "TOOL_CALL_START", toolCallId: "c", toolCallName: "weather" },
				{ type: "TOOL_CALL_RESULT", toolCallId: "c", messageId: "r", content: "sunny" },
				begin("look", 1),
				{
					type: "RUN_ERROR",
					message: "it broke",
					code: "x",
					usage: [{ inputTokens: 3 }, { inputTokens: 4 }],
					...at(2),
				},
			]),
		);
		const failed = { status: "failed", error: { message: "it broke" } };
		expect(run).toMatchObject({ id: runId, workflowName: "ag-ui", ...failed, metrics: { inputTokens: 7 } });
		expect(run.steps).toMatchObject([{ id: "tool:c" }, { id: "step:look-1", status: "failed" }]);
		expect(JSON.stringify(run)).not.toContain("sunny");
	});

	it("with what is too large left out, and named", async () => {
		const runId = uuid();
		const content = "x".repeat(20_000);
		const events = [started(runId), { type: "TOOL_CALL_RESULT", toolCallId: "c", messageId: "r", content }];
		const { data } = await (await send(events, { query: "?outputs=true" })).json<{ data: { warnings: string[] } }>();
		expect(data.warnings).toEqual([expect.stringMatching(/^workflowRuns\.0\.steps\.0\.output: /)]);
	});

	it("of several runs that follow each other", async () => {
		const [one, two] = [uuid(), uuid()];
		const events = [started(one), begin("a", 1), finished(one, 2), started(two, 3), begin("a", 4)];
		const { data } = await (await send(events)).json<{ data: { workflowRuns: WorkflowRun[]; created: string[] } }>();
		expect(data.created).toEqual([one, two]);
		expect(data.workflowRuns).toMatchObject([
			{ id: one, status: "completed", steps: [{ id: "step:a-1", status: "completed" }] },
			{ id: two, status: "running", steps: [{ id: "step:a-1", status: "running" }] },
		]);
	});
});

describe("a run's events may come in parts and again:", () => {
	it("from RUN_STARTED on, each time with more, and the whole once more", async () => {
		const runId = uuid();
		const events = wholeRun(runId);
		for (const length of [1, 3, 6, 8, events.length]) await send(events.slice(0, length));
		const last = await send(events);
		expect(last.status).toBe(200);
		expect(withoutPosition(await runIn(last))).toMatchObject(wholeSteps);
	});

	it("without timestamps, from RUN_STARTED on, too", async () => {
		const runId = uuid();
		const events = wholeRun(runId).map(({ timestamp: _, ...event }: Record<string, unknown>) => event);
		const first = await runIn(await send(events));
		const again = await runIn(await send(events));
		expect(again).toEqual(first);
		expect(again.steps).toHaveLength(3);
	});

	it("each part alone, one after the other, and each of them twice", async () => {
		const runId = `run ${uuid()}`;
		const events = wholeRun(runId);
		const query = `?runId=${encodeURIComponent(runId)}&workflow=weather`;
		let run: WorkflowRun | undefined;
		for (const part of [events.slice(0, 3), events.slice(3, 6), events.slice(6, 7), events.slice(7)]) {
			for (const _ of [1, 2]) run = await runIn(await send(part, { query }));
		}
		expect(run).toMatchObject({ workflowName: "weather", status: "completed", completedAt: time(6) });
		expect(run && withoutPosition(run)).toMatchObject(wholeSteps);
		// All again, also after the end.
		for (const part of [events.slice(3, 6), events]) {
			expect(withoutPosition(await runIn(await send(part, { query })))).toMatchObject(wholeSteps);
		}
	});

	it("a last part names its run by RUN_FINISHED", async () => {
		const runId = uuid();
		await send([started(runId), begin("look", 1)]);
		const run = await runIn(await send([end("look", 2), finished(runId, 3)]));
		expect(run).toMatchObject({ status: "completed", steps: [{ id: "step:look-1", completedAt: time(2) }] });
	});

	it("a part of a run that is not known yet is recorded as far as it goes", async () => {
		const runId = uuid();
		const run = await runIn(await send([end("look", 2)], { query: `?runId=${runId}` }));
		expect(run).toMatchObject({ status: "running", startedAt: null, steps: [{ id: "step:look-1", startedAt: null }] });
		expect(await runIn(await send([started(runId), begin("look", 1)]))).toMatchObject({
			startedAt: time(0),
			steps: [{ id: "step:look-1", startedAt: time(1), completedAt: time(2), status: "completed" }],
		});
	});
});

describe("what is refused leaves all as it was:", () => {
	async function expectRefusal(sent: () => Promise<Response>, status: number, code: string, message: RegExp) {
		const before = await wholeDatabase();
		const response = await sent();
		const body = await response.json<ErrorBody>();
		expect([response.status, body.code, body.message]).toEqual([status, code, expect.stringMatching(message)]);
		expect(await wholeDatabase()).toBe(before);
	}

	it.each<[string, unknown, RegExp]>([
		["no object", "RUN_STARTED", /^events\.1: must be an object$/],
		["null", null, /^events\.1: must be an object$/],
		["an array", [], /^events\.1: must be an object$/],
		["one without a type", { stepName: "a" }, /^events\.1: type: must be a string/],
		["a step without a name", { type: "STEP_STARTED" }, /^events\.1: stepName: /],
		["a step whose name is empty", { type: "STEP_STARTED", stepName: "" }, /^events\.1: stepName: /],
		["a step whose name is a number", { type: "STEP_FINISHED", stepName: 7 }, /^events\.1: stepName: /],
		["a tool call without an id", { type: "TOOL_CALL_START", toolCallName: "x" }, /^events\.1: toolCallId: /],
		["a tool call without a name", { type: "TOOL_CALL_START", toolCallId: "x" }, /^events\.1: toolCallName: /],
		["a result of no call", { type: "TOOL_CALL_RESULT", content: "x" }, /^events\.1: toolCallId: /],
		["an end without its run", { type: "RUN_FINISHED" }, /^events\.1: runId: /],
		["a start without its thread", { type: "RUN_STARTED", runId: "x" }, /^events\.1: threadId: /],
		["an id that is too long", started("x".repeat(201)), /^events\.1: runId: /],
		["an error without a message", { type: "RUN_ERROR" }, /^events\.1: message: /],
		["a time as text", { type: "RUN_ERROR", message: "x", timestamp: "now" }, /^events\.1: timestamp: /],
		["a time that is none", { type: "RUN_ERROR", message: "x", timestamp: -1 }, /^events\.1: timestamp: /],
		["a time beyond all", { type: "RUN_ERROR", message: "x", timestamp: 1e300 }, /^events\.1: timestamp: /],
	])("%s", async (_, event, message) => {
		for (const [type, body] of [
			[JSON_TYPE, JSON.stringify([started(uuid()), event])],
			[NDJSON, `${JSON.stringify(started(uuid()))}\n${JSON.stringify(event)}`],
			[SSE, `data: ${JSON.stringify(started(uuid()))}\n\ndata: ${JSON.stringify(event)}\n\n`],
		] as const) {
			await expectRefusal(() => send(body, { type }), 400, "INVALID_BODY", message);
		}
	});

	it.each<[string, string, string, RegExp]>([
		["no JSON", JSON_TYPE, "{", /^The body is not JSON: /],
		["an empty body", JSON_TYPE, "", /^The body is not JSON: /],
		["no array", JSON_TYPE, "{}", /^The body must be an array of events$/],
		["a line that is no JSON", NDJSON, '{"type":"X"}\n\n{', /^events\.1: is not JSON: /],
		["a message that was cut", SSE, 'data: {"type":"X"}\n\ndata: {"ty', /^events\.1: is not JSON: /],
		["too many events", NDJSON, '{"type":"X"}\n'.repeat(10_001), /^events: there are 10001, and 10000 is the most$/],
	])("%s", async (_, type, body, message) => {
		await expectRefusal(() => send(body, { type }), 400, "INVALID_BODY", message);
	});

	it("events of a run that nobody names", async () => {
		const message = /^events\.1: type: the first event must be RUN_STARTED/;
		await expectRefusal(() => send([{ type: "RAW" }, begin("a", 1)]), 400, "INVALID_BODY", message);
	});

	it("another media type, an encoding, bytes that are not UTF-8, and a body that is too large", async () => {
		const unsupported = /text\/event-stream, application\/x-ndjson or application\/json/;
		for (const type of ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonp"])
			await expectRefusal(() => send("[]", { type }), 415, "UNSUPPORTED_MEDIA_TYPE", unsupported);
		const path = `/api/chats/${owned.chat}/ag-ui-events`;
		const gzip = recording("POST", "[]", { "content-encoding": "gzip" });
		await expectRefusal(() => request(path, gzip), 415, "UNSUPPORTED_MEDIA_TYPE", unsupported);
		const broken = { ...recording("POST"), body: new Uint8Array([0x5b, 0xff, 0x5d]) };
		await expectRefusal(() => request(path, broken), 400, "INVALID_BODY", /^The body is not UTF-8: /);
		await expectRefusal(() => send(" ".repeat(1_000_001)), 413, "BODY_TOO_LARGE", /1,000,000 bytes/);
	});

	it("parameters that are not what they should be", async () => {
		const long = "x".repeat(201);
		for (const query of ["?workflow=", `?workflow=${long}`, "?runId=", `?runId=${long}`, "?messageId=", "?outputs=yes"])
			await expectRefusal(() => send([started(uuid())], { query }), 400, "INVALID_PARAMETER", /./);
	});

	it("a chat that is not there, also for events that say nothing", async () => {
		for (const events of [[started(uuid())], [{ type: "RAW" }], []])
			await expectRefusal(() => send(events, { chat: uuid() }), 404, "CHAT_NOT_FOUND", /./);
	});

	it("a run of another chat: neither changed nor shown", async () => {
		const runId = uuid();
		await send([started(runId), begin("secret", 1)]);
		const { chat } = await registeredChat();
		const parts = [[started(runId)], [end("secret", 2), finished(runId, 3)]];
		for (const events of parts) await expectRefusal(() => send(events, { chat }), 409, "RUN_CONFLICT", /another chat/);
	});

	it("a run that was recorded under another workflow", async () => {
		const runId = uuid();
		await send([started(runId)], { query: "?workflow=one" });
		const other = () => send([started(runId)], { query: "?workflow=two" });
		await expectRefusal(other, 409, "RUN_CONFLICT", /workflowId/);
	});
});

it("events that say nothing of a run are an empty answer", async () => {
	const response = await send([{ type: "RAW" }, { type: "STATE_SNAPSHOT", snapshot: {} }]);
	expect([response.status, await response.json()]).toEqual([200, { data: { workflowRuns: [], created: [] } }]);
});

it("a loop's laps are each looked up once, not each among all before it", () => {
	const lookUps = [vi.spyOn(RunState.prototype, "restored"), vi.spyOn(RunState.prototype, "step")];
	const events = Array.from({ length: 1_000 }, (_, lap) => [begin("lap", 2 * lap), end("lap", 2 * lap + 1)]).flat();
	const reader = new AgUiReader({ workflow: "loop" });
	for (const event of [started("r"), ...events]) reader.read(event, 0);
	expect(reader.take()[0]?.steps).toHaveLength(1_000);
	for (const lookUp of lookUps) {
		expect(lookUp.mock.calls.length).toBeLessThan(10 * events.length);
		lookUp.mockRestore();
	}
});

it("10,000 events and a deep nesting are answered, one way or the other, without a 5xx", async () => {
	const many = Array.from({ length: 9_998 }, (_, n) => ({
		type: "TOOL_CALL_START",
		toolCallId: `${n}`,
		toolCallName: "t",
	}));
	const runId = uuid();
	const answers = [
		await send([started(runId), ...many, finished(runId, 1)], { type: JSON_TYPE }),
		await send(`[{"type":"RUN_STARTED","threadId":"t","runId":"${uuid()}"},${"[".repeat(100_000)}`),
		await send(
			`[{"type":"RUN_STARTED","threadId":"t","runId":"${uuid()}"},{"type":"TOOL_CALL_RESULT","toolCallId":"c","content":${"[".repeat(50_000)}${"]".repeat(50_000)}}]`,
			{ query: "?outputs=true" },
		),
	];
	for (const { status } of answers) expect(status).toBeLessThan(500);
});
