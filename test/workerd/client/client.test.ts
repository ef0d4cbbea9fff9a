import { exports } from "cloudflare:workers";
import { describe, expect, expectTypeOf, it } from "vitest";
import type { z } from "zod";
import { createClient, EdgeRunsError, type EdgeRunsErrorCode } from "#client/index.ts";
import type * as Client from "#protocol/types.ts";
import type { ErrorCode } from "../../../src/errors.ts";
import type { WorkflowRunReport } from "../../../src/workflow-runs/report.ts";
import type { WorkflowRun } from "../../../src/workflow-runs/schemas.ts";
import { signIn, uuid } from "../helpers.ts";
import { type OwnedChat, putRun, recording, registeredChat, report, TOKENS } from "../recording/recorder.ts";

/** The Worker's own fetch, each call recorded; `fail` may answer or throw in its place. */
function clientOf(headers: Record<string, string>, fail?: (request: Request, nth: number) => Response | undefined) {
	const requests: Request[] = [];
	const client = createClient("http://edge-runs.test", {
		headers,
		fetch: async (input, init) => {
			const request = new Request(input, init);
			requests.push(request);
			return fail?.(request, requests.length) ?? exports.default.fetch(request);
		},
	});
	return { client, requests };
}

const reader = ({ cookie }: OwnedChat, fail?: Parameters<typeof clientOf>[1]) => clientOf({ cookie }, fail);
const recorder = () => clientOf({ authorization: `Bearer ${TOKENS[0]}` }).client;

async function refusal(promise: Promise<unknown>): Promise<EdgeRunsError> {
	const error = await promise.then(
		() => null,
		(thrown: unknown) => thrown,
	);
	expect(error).toBeInstanceOf(EdgeRunsError);
	return error as EdgeRunsError;
}

describe("the client", () => {
	it("gives and takes the wire's shapes", () => {
		expectTypeOf<Client.WorkflowRun>().toEqualTypeOf<WorkflowRun>();
		expectTypeOf<Client.WorkflowRunReport>().toExtend<z.input<typeof WorkflowRunReport>>();
		expectTypeOf<EdgeRunsErrorCode>().toEqualTypeOf<ErrorCode | "UNEXPECTED_RESPONSE">();
	});

	it("lists and counts a user's runs over all chats", async () => {
		const chat = await registeredChat();
		const id = uuid();
		await putRun(
			chat.chat,
			id,
			report({ status: "running", completedAt: null, startedAt: "2024-02-04T12:00:00.000Z" }),
		);
		const { client } = reader(chat);
		const page = await client.listUserWorkflowRuns({
			startedAfter: new Date("2024-02-04T12:00:00Z"),
			steps: "none",
			limit: 5,
		});
		expect([page.workflowRuns.map((run) => [run.id, run.steps]), page.nextCursor]).toEqual([[[id, []]], null]);
		expect((await client.listUserWorkflowRuns({ startedBefore: "2024-02-04T12:00:00Z" })).workflowRuns).toEqual([]);
		expect(await client.countActiveWorkflowRuns()).toEqual({ pending: 0, running: 1 });
	});

	it("registers a chat, records a run, and reads it back by the bookmark", async () => {
		const user = uuid();
		const [chatId, runId] = [uuid(), uuid()];
		const { cookie } = await signIn(user);
		const { client } = clientOf({ cookie });
		const recording = recorder();
		await recording.registerChat(chatId, user);
		expect((await client.listWorkflowRuns(chatId)).workflowRuns).toEqual([]);
		const { workflowRun, bookmark } = await recording.recordWorkflowRun(chatId, runId, {
			workflowId: uuid(),
			status: "running",
			steps: [{ id: "step-1", status: "pending", name: "Fetch" }],
		});
		expect(workflowRun).toMatchObject({ id: runId, chatId, steps: [{ name: "Fetch", startedAt: null }] });
		const read = await client.listWorkflowRuns(chatId, { bookmark: bookmark as string });
		expect(read.workflowRuns).toEqual([workflowRun]);
	});

	it("lists all runs, or pages of some statuses, and gets one", async () => {
		const chat = await registeredChat();
		const ids = [uuid(), uuid(), uuid()].sort().reverse();
		for (const id of ids) await putRun(chat.chat, id, report());
		await putRun(chat.chat, uuid(), report({ status: "running", completedAt: null }));
		const { client } = reader(chat);
		expect((await client.listWorkflowRuns(chat.chat)).workflowRuns).toHaveLength(4);
		const first = await client.listWorkflowRuns(chat.chat, { status: ["completed", "failed"], limit: 2 });
		const second = await client.listWorkflowRuns(chat.chat, {
			status: ["completed"],
			limit: 2,
			cursor: first.nextCursor as string,
		});
		expect([...first.workflowRuns, ...second.workflowRuns].map((run) => run.id)).toEqual(ids);
		expect(second.nextCursor).toBeNull();
		expect(await client.getWorkflowRun(chat.chat, ids[1] as string)).toEqual(first.workflowRuns[1]);
	});

	it("throws the service's refusals by their code", async () => {
		const chat = await registeredChat();
		const { client } = reader(chat);
		const error = await refusal(client.getWorkflowRun(chat.chat, uuid()));
		expect(error).toMatchObject({
			code: "RUN_NOT_FOUND",
			status: 404,
			message: "Workflow run does not exist",
			retryAfterSeconds: null,
		});
		expect(error.requestId).toMatch(/^[\w-]{36}$/);
		expect(await refusal(client.listWorkflowRuns("no-uuid"))).toMatchObject({ code: "INVALID_CHAT_ID", status: 400 });
		expect(await refusal(recorder().listWorkflowRuns(chat.chat))).toMatchObject({ code: "INVALID_SESSION" });
		expect(await refusal(client.registerChat(chat.chat, chat.user))).toMatchObject({ code: "INVALID_TOKEN" });
	});

	it("tells an answer that is not the service's apart, and when to try again", async () => {
		const chat = await registeredChat();
		const { client } = reader(
			chat,
			() => new Response("<h1>Bad gateway</h1>", { status: 502, headers: { "retry-after": "7" } }),
		);
		expect(await refusal(client.listWorkflowRuns(chat.chat))).toMatchObject({
			code: "UNEXPECTED_RESPONSE",
			status: 502,
			retryAfterSeconds: 7,
		});
	});

	it("throws what fetch throws where there is no answer", async () => {
		const chat = await registeredChat();
		const { client } = reader(chat, () => {
			throw new TypeError("network down");
		});
		await expect(client.listWorkflowRuns(chat.chat)).rejects.toThrow(new TypeError("network down"));
	});
});

describe.concurrent("watching", () => {
	it("gives all runs in the list's order, again whenever one changes, the others unchanged", async () => {
		const chat = await registeredChat();
		const [old, young, waiting] = [uuid(), uuid(), uuid()];
		await putRun(chat.chat, old, report({ startedAt: "2024-01-01T00:00:00.000Z" }));
		await putRun(
			chat.chat,
			young,
			report({ startedAt: "2024-02-01T00:00:00.000Z", completedAt: "2024-03-01T00:00:00.000Z" }),
		);
		const stop = new AbortController();
		const runs = reader(chat).client.watchWorkflowRuns(chat.chat, { signal: stop.signal });
		const first = (await runs.next()).value as WorkflowRun[];
		expect(first.map((run) => run.id)).toEqual([young, old]);

		await putRun(chat.chat, waiting, report({ status: "pending", startedAt: null, completedAt: null }));
		const second = (await runs.next()).value as WorkflowRun[];
		expect(second.map((run) => run.id)).toEqual([waiting, young, old]);
		expect(second[1]).toBe(first[0]);

		const end = runs.next();
		stop.abort();
		expect(await end).toEqual({ done: true, value: undefined });
	});

	it("takes a dropped stream up again, with the last event's id, and loses nothing", async () => {
		const chat = await registeredChat();
		await putRun(chat.chat, uuid(), report());
		const lines: AbortController[] = [];
		const requests: Request[] = [];
		const client = createClient("http://edge-runs.test", {
			headers: { cookie: chat.cookie },
			fetch: async (input, init) => {
				const request = new Request(input, init);
				requests.push(request);
				if (requests.length === 2) throw new TypeError("network down");
				const response = await exports.default.fetch(request);
				const line = new AbortController();
				lines.push(line);
				const { readable, writable } = new TransformStream();
				response.body?.pipeTo(writable, { signal: line.signal }).catch(() => {});
				return new Response(readable, response);
			},
		});
		const stop = new AbortController();
		const runs = client.watchWorkflowRuns(chat.chat, { signal: stop.signal });
		expect((await runs.next()).value).toHaveLength(1);
		lines[0]?.abort();
		await putRun(chat.chat, uuid(), report());
		expect((await runs.next()).value).toHaveLength(2);
		expect(requests.length).toBeGreaterThanOrEqual(3);
		expect(requests[0]?.headers.get("last-event-id")).toBeNull();
		for (const request of requests.slice(1)) expect(request.headers.get("last-event-id")).toMatch(/^\d+\.[0-9a-f]{8}$/);
		const end = runs.next();
		stop.abort();
		await end;
	}, 20_000);

	it("ends by the error that coming back meets: a deleted chat", async () => {
		const chat = await registeredChat();
		const runs = reader(chat).client.watchWorkflowRuns(chat.chat);
		await runs.next();
		const next = refusal(runs.next());
		await exports.default.fetch(new Request(`http://edge-runs.test/api/chats/${chat.chat}`, recording("DELETE")));
		expect((await next).code).toBe("CHAT_NOT_FOUND");
	}, 20_000);

	it("ends at once where it is refused", async () => {
		const chat = await registeredChat();
		const { client, requests } = clientOf({});
		expect((await refusal(client.watchWorkflowRuns(chat.chat).next())).code).toBe("INVALID_SESSION");
		expect(requests).toHaveLength(1);
	});
});
