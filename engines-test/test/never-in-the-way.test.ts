import { AbstractAgent, type BaseEvent, EventType } from "@ag-ui/client";
import { Annotation, END, START, StateGraph } from "@langchain/langgraph";
import { createStep, createWorkflow } from "@mastra/core/workflows";
import { generateText } from "ai";
import { MockLanguageModelV4 } from "ai/test";
import { recordAgent, recordEvents } from "edge-runs/engines/ag-ui";
import { aiSdkRecorder } from "edge-runs/engines/ai-sdk";
import { follow as followInstance, recordWorkflow } from "edge-runs/engines/cloudflare-workflows";
import { inngestRecorder } from "edge-runs/engines/inngest";
import { langGraphRecorder } from "edge-runs/engines/langgraph";
import { mastraRecorder } from "edge-runs/engines/mastra";
import { follow } from "edge-runs/engines/workflow";
import { Inngest, Middleware } from "inngest";
import { from } from "rxjs";
import { expect, it } from "vitest";
import { z } from "zod";
import { runFunction } from "./inngest-server.ts";

/** A recorder that does what none may: every adapter has to keep it from the engine. */
const recorder = {
	report() {
		throw new Error("the recorder broke");
	},
	flush(): Promise<void> {
		throw new Error("the recorder broke");
	},
};
const chat = { chatId: "a chat", userId: "somebody" };
const events = [
	{ type: EventType.RUN_STARTED, threadId: "t", runId: "r" },
	{ type: EventType.RUN_FINISHED, threadId: "t", runId: "r" },
];

class Agent extends AbstractAgent {
	override run() {
		return from(events as BaseEvent[]);
	}
}

const engines: Record<string, () => Promise<unknown>> = {
	"ag-ui, an agent": async () => {
		const agent = new Agent();
		recordAgent(agent, { recorder, ...chat });
		return (await agent.runAgent()).newMessages;
	},
	"ag-ui, a stream": async () => {
		const passed: object[] = [];
		const source = (async function* () {
			yield* events;
		})();
		for await (const event of recordEvents(source, { recorder, ...chat })) passed.push(event);
		return passed;
	},
	"ai-sdk": async () => {
		const doGenerate = {
			content: [{ type: "text", text: "hi" }],
			finishReason: { unified: "stop" },
			usage: { inputTokens: {}, outputTokens: {} },
			warnings: [],
		};
		const model = new MockLanguageModelV4({ doGenerate: doGenerate as never });
		return (
			await generateText({ model, prompt: "p", telemetry: { integrations: aiSdkRecorder({ recorder, ...chat }) } })
		).text;
	},
	"cloudflare-workflows": async () => {
		const step = { do: (_name: string, callback: () => Promise<string>) => callback(), sleep: async () => {} };
		const event = { instanceId: "i", timestamp: new Date(), workflowName: "w" };
		const work = async ({ do: run, sleep }: typeof step) => {
			await (sleep as (name: string, duration: number) => Promise<void>)("s", 1);
			return run("a", async () => "done");
		};
		const gone = { id: "i", subscribe: () => Promise.reject(new Error("gone")) };
		await followInstance(gone, { recorder, workflow: "w", chat });
		return recordWorkflow({ recorder, ...chat, event, step }, work);
	},
	inngest: async () => {
		const middleware = [inngestRecorder(Middleware.BaseMiddleware, { recorder, chat: () => chat })];
		const client = new Inngest({ id: "app", isDev: true, middleware });
		const fn = client.createFunction({ id: "f", triggers: [{ event: "asked" }] }, ({ step }) => step.run("a", () => 1));
		return runFunction(client, fn, { runId: "01H", data: {}, maxAttempts: 1 });
	},
	langgraph: async () => {
		const State = Annotation.Root({ told: Annotation<string> });
		const graph = new StateGraph(State)
			.addNode("n", async () => ({ told: "n" }))
			.addEdge(START, "n")
			.addEdge("n", END);
		return graph.compile().invoke({ told: "" }, { callbacks: [langGraphRecorder({ recorder, ...chat })] });
	},
	mastra: async () => {
		const mastra = mastraRecorder({ recorder });
		const any = { inputSchema: z.any(), outputSchema: z.any() };
		const step = createStep({ id: "a", ...any, execute: async () => 1 });
		const workflow = createWorkflow({ id: "w", ...any, options: mastra.options })
			.then(step)
			.commit();
		return (await mastra.record(await workflow.createRun(), chat).start({ inputData: {} })).status;
	},
	workflow: async () => {
		const log = ["run_created", "run_started", "run_completed"].map((eventType) => ({
			eventType,
			createdAt: new Date(),
		}));
		const world = { events: { list: async () => ({ data: log, cursor: null, hasMore: false }) } };
		return follow("wrun_1", { world, recorder, ...chat });
	},
};

it.each(Object.keys(engines))("a recorder that breaks never reaches the engine: %s", async (engine) => {
	expect(await engines[engine]?.()).toEqual(
		{
			"ag-ui, an agent": [],
			"ag-ui, a stream": events,
			"ai-sdk": "hi",
			"cloudflare-workflows": "done",
			inngest: { output: 1 },
			langgraph: { told: "n" },
			mastra: "success",
			workflow: { ended: true },
		}[engine],
	);
});
