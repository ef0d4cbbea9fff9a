import { AbstractAgent, type BaseEvent, EventType, HttpAgent, type RunAgentInput } from "@ag-ui/client";
import { recordAgent, recordEvents } from "edge-runs/engines/ag-ui";
import { uuidFor } from "edge-runs/recorder";
import { Observable } from "rxjs";
import { describe, expect, it } from "vitest";
import { outline, recording } from "./recording.ts";

type Play = (input: RunAgentInput, emit: (event: object) => Promise<void>) => Promise<void>;

/** An agent as one writes it with @ag-ui/client; `play` tells its events. */
class Agent extends AbstractAgent {
	readonly #play: Play;
	#stop = () => {};

	constructor(play: Play, threadId: string) {
		super({ agentId: "researcher", threadId });
		this.#play = play;
	}

	override run(input: RunAgentInput): Observable<BaseEvent> {
		return new Observable((subscriber) => {
			this.#stop = () => subscriber.complete();
			const emit = async (event: object) => subscriber.next(event as BaseEvent);
			this.#play(input, emit).then(
				() => subscriber.complete(),
				(error) => subscriber.error(error),
			);
		});
	}

	override abortRun(): void {
		this.#stop();
	}
}

const { RUN_STARTED, RUN_FINISHED, RUN_ERROR, STEP_STARTED, STEP_FINISHED } = EventType;

const success: Play = async ({ threadId, runId }, emit) => {
	await emit({ type: RUN_STARTED, threadId, runId, parentRunId: "earlier" });
	for (const result of ["sunny", "rainy"]) {
		await emit({ type: STEP_STARTED, stepName: "look" });
		await emit({ type: EventType.TOOL_CALL_START, toolCallId: `call-${result}`, toolCallName: "weather" });
		await emit({ type: EventType.TOOL_CALL_ARGS, toolCallId: `call-${result}`, delta: "{}" });
		await emit({ type: EventType.TOOL_CALL_END, toolCallId: `call-${result}` });
		const content = { content: result, messageId: `m-${result}` };
		await emit({ type: EventType.TOOL_CALL_RESULT, toolCallId: `call-${result}`, ...content });
		await emit({ type: STEP_FINISHED, stepName: "look" });
	}
	const usage = [
		{ inputTokens: 10, outputTokens: 5 },
		{ model: "small", inputTokens: 1 },
	];
	await emit({ type: RUN_FINISHED, threadId, runId, result: { answer: 42 }, usage });
};

describe("an agent of @ag-ui/client", () => {
	it("is recorded: its run, steps by occurrence, tool calls inside them, outputs and tokens", async () => {
		const { recorder, chatId, userId, runs } = recording();
		const agent = new Agent(success, chatId);
		recordAgent(agent, { recorder, userId, outputs: true });
		await agent.runAgent({ runId: "run-of-success" });
		const [run, ...others] = await runs();
		expect(others).toEqual([]);
		expect(run).toMatchObject({
			id: uuidFor("ag-ui", "run-of-success"),
			chatId,
			status: "completed",
			workflowName: "researcher",
			externalId: "run-of-success",
			parentRunId: uuidFor("ag-ui", "earlier"),
			output: { answer: 42 },
			metrics: { inputTokens: 11, outputTokens: 5 },
			startedAt: expect.any(String),
		});
		expect(run && outline(run)).toEqual([
			{ id: "step:look-1", name: "look", status: "completed" },
			{ id: "tool:call-sunny", name: "weather", status: "completed", parentId: "step:look-1", output: "sunny" },
			{ id: "step:look-2", name: "look", status: "completed" },
			{ id: "tool:call-rainy", name: "weather", status: "completed", parentId: "step:look-2", output: "rainy" },
		]);
	});

	it("fails with RUN_ERROR, and so does the step that was open", async () => {
		const { recorder, chatId, userId, runs } = recording();
		const agent = new Agent(async ({ threadId, runId }, emit) => {
			await emit({ type: RUN_STARTED, threadId, runId });
			await emit({ type: STEP_STARTED, stepName: "look" });
			await emit({ type: RUN_ERROR, message: "no weather today" });
		}, chatId);
		recordAgent(agent, { recorder, userId });
		await agent.runAgent().catch(() => {});
		const [run] = await runs();
		expect(run).toMatchObject({ status: "failed", error: { message: "no weather today" } });
		expect(run && outline(run)).toEqual([{ id: "step:look-1", name: "look", status: "failed" }]);
	});

	it("fails where the agent throws", async () => {
		const { recorder, chatId, userId, runs } = recording();
		const agent = new Agent(async ({ threadId, runId }, emit) => {
			await emit({ type: RUN_STARTED, threadId, runId });
			throw new Error("the agent broke");
		}, chatId);
		recordAgent(agent, { recorder, userId });
		await expect(agent.runAgent()).rejects.toThrow("the agent broke");
		expect(await runs()).toMatchObject([{ status: "failed", error: { message: "the agent broke" } }]);
	});

	it("is cancelled where its caller aborts it, or its outcome says so", async () => {
		const { recorder, chatId, userId, runs } = recording();
		const aborted = new Agent(async ({ threadId, runId }, emit) => {
			await emit({ type: RUN_STARTED, threadId, runId });
			await emit({ type: STEP_STARTED, stepName: "look" });
			aborted.abortRun();
		}, chatId);
		const cancelled = new Agent(async ({ threadId, runId }, emit) => {
			await emit({ type: RUN_STARTED, threadId, runId });
			await emit({ type: RUN_FINISHED, threadId, runId, outcome: { type: "cancelled" } });
		}, chatId);
		for (const [runId, agent] of Object.entries({ aborted, cancelled })) {
			recordAgent(agent, { recorder, userId });
			await agent.runAgent({ runId }).catch(() => {});
		}
		// Both may have started in the same millisecond, so that their order in the list says nothing.
		const found = new Map((await runs()).map((run) => [run.externalId, run]));
		expect([...found.keys()].sort()).toEqual(["aborted", "cancelled"]);
		expect(found.get("aborted")).toMatchObject({ status: "cancelled", steps: [{ status: "cancelled" }] });
		expect(found.get("cancelled")).toMatchObject({ status: "cancelled", steps: [] });
	});

	it("shows its subagents, with their steps and tools inside, also side by side", async () => {
		const { recorder, chatId, userId, runs } = recording();
		const agent = new Agent(async ({ threadId, runId }, emit) => {
			await emit({ type: RUN_STARTED, threadId, runId });
			await emit({ type: STEP_STARTED, stepName: "delegate" });
			for (const subagentRunId of ["sub-1", "sub-2"])
				await emit({ type: EventType.SUBAGENT_STARTED, subagentRunId, name: "reader" });
			for (const subagentRunId of ["sub-1", "sub-2"])
				await emit({ type: STEP_STARTED, stepName: "read", subagentRunId });
			for (const subagentRunId of ["sub-1", "sub-2"])
				await emit({ type: STEP_FINISHED, stepName: "read", subagentRunId });
			await emit({ type: EventType.SUBAGENT_FINISHED, subagentRunId: "sub-1" });
			await emit({ type: EventType.SUBAGENT_ERROR, subagentRunId: "sub-2", message: "cannot read" });
			await emit({ type: STEP_FINISHED, stepName: "delegate" });
			await emit({ type: RUN_FINISHED, threadId, runId });
		}, chatId);
		recordAgent(agent, { recorder, userId });
		await agent.runAgent();
		const [run] = await runs();
		expect(run?.status).toBe("completed");
		expect(run && outline(run)).toEqual([
			{ id: "step:delegate-1", name: "delegate", status: "completed" },
			{ id: "subagent:sub-1", name: "reader", status: "completed" },
			{ id: "subagent:sub-2", name: "reader", status: "failed", error: { message: "cannot read" } },
			{ id: "step:sub-1/read-1", name: "read", status: "completed", parentId: "subagent:sub-1" },
			{ id: "step:sub-2/read-1", name: "read", status: "completed", parentId: "subagent:sub-2" },
		]);
	});

	it("belongs to the chat of its thread, whatever that is called", async () => {
		const { recorder, chatId, userId, runs } = recording();
		const thread = `thread ${chatId}`;
		const agent = new Agent(success, thread);
		const stop = recordAgent(agent, { recorder, userId, workflow: "weather" });
		await agent.runAgent();
		stop();
		await agent.runAgent();
		expect(await runs(thread)).toMatchObject([{ workflowName: "weather", status: "completed" }]);
	});
});

describe("a stream of events", () => {
	const events = (...list: object[]) => list;

	it("is passed on as it is, and recorded", async () => {
		const { recorder, chatId, userId, runs } = recording();
		const told = events(
			{ type: RUN_STARTED, threadId: "t", runId: chatId },
			{ type: STEP_STARTED, stepName: "look" },
			{ type: "A_NEWER_EVENT" },
			{ type: STEP_STARTED },
			{ type: STEP_FINISHED, stepName: "look" },
			{ type: RUN_FINISHED, threadId: "t", runId: chatId },
		);
		const source = (async function* () {
			yield* told;
		})();
		const passed: object[] = [];
		for await (const event of recordEvents(source, { recorder, chatId, userId, workflow: "weather" }))
			passed.push(event);
		expect(passed).toEqual(told);
		expect(await runs()).toMatchObject([{ id: chatId, status: "completed", steps: [{ name: "look" }] }]);
	});

	it("that breaks off fails its run, and one that is left cancels it", async () => {
		const { recorder, chatId, userId, runs } = recording();
		const source = async function* (runId: string, broken: boolean) {
			yield { type: RUN_STARTED, threadId: "t", runId };
			if (broken) throw new Error("connection lost");
			yield { type: STEP_STARTED, stepName: "look" };
		};
		const options = { recorder, chatId, userId };
		const read = async (broken: boolean) => {
			const runId = `${chatId} ${broken}`;
			for await (const event of recordEvents(source(runId, broken), options)) if (event.stepName) break;
		};
		await expect(read(true)).rejects.toThrow("connection lost");
		await read(false);
		const found = new Map((await runs()).map((run) => [run.externalId, run]));
		expect(found.get(`${chatId} true`)).toMatchObject({ status: "failed", error: { message: "connection lost" } });
		expect(found.get(`${chatId} false`)).toMatchObject({ status: "cancelled", steps: [{ status: "cancelled" }] });
	});

	it("is the same over HTTP, by the client's own agent", async () => {
		const { recorder, chatId, userId, runs } = recording();
		const agent = new HttpAgent({
			url: "http://agent.test/",
			agentId: "remote",
			threadId: chatId,
			fetch: async (_url, init) => {
				const { threadId, runId } = JSON.parse(String(init?.body)) as RunAgentInput;
				const lines: string[] = [];
				await success({ threadId, runId } as RunAgentInput, async (event) => {
					lines.push(`data: ${JSON.stringify(event)}\n\n`);
				});
				return new Response(lines.join(""), { headers: { "content-type": "text/event-stream" } });
			},
		});
		recordAgent(agent, { recorder, userId });
		await agent.runAgent({ runId: `http ${chatId}` });
		expect(await runs()).toMatchObject([{ workflowName: "remote", status: "completed", externalId: `http ${chatId}` }]);
	});
});
