import { BaseChatModel } from "@langchain/core/language_models/chat_models";
import { AIMessage } from "@langchain/core/messages";
import { tool } from "@langchain/core/tools";
import { Annotation, Command, END, interrupt, MemorySaver, START, StateGraph } from "@langchain/langgraph";
import { langGraphRecorder } from "edge-runs/engines/langgraph";
import { uuidFor } from "edge-runs/recorder";
import { expect, it } from "vitest";
import { outline, recording } from "./recording.ts";

const State = Annotation.Root({
	told: Annotation<string[]>({ reducer: (a, b) => a.concat(b), default: () => [] }),
});
const tell = (word: string) => async () => ({ told: [word] });

it("records a graph: nodes, those side by side, a subgraph's inside its node, retries, outputs", async () => {
	const { recorder, chatId, userId, runs } = recording();
	let failures = 1;
	const inner = new StateGraph(State)
		.addNode("deep", tell("deep"))
		.addEdge(START, "deep")
		.addEdge("deep", END)
		.compile();
	const flaky = async () => {
		if (failures-- > 0) throw new Error("no luck");
		return { told: ["b"] };
	};
	const retryPolicy = { maxAttempts: 2, initialInterval: 1, jitter: false, retryOn: () => true, logWarning: false };
	const graph = new StateGraph(State)
		.addNode("plan", tell("plan"))
		.addNode("a", tell("a"))
		.addNode("b", flaky, { retryPolicy })
		.addNode("inner", inner)
		.addEdge(START, "plan")
		.addEdge("plan", "a")
		.addEdge("plan", "b")
		.addEdge(["a", "b"], "inner")
		.addEdge("inner", END)
		.compile({ name: "research" });
	const handler = langGraphRecorder({ recorder, userId, outputs: true });
	const result = await graph.invoke({ told: [] }, { callbacks: [handler], configurable: { thread_id: chatId } });
	const [run] = await runs();
	expect(run).toMatchObject({ chatId, status: "completed", workflowName: "research", output: result });
	expect(run?.externalId).toBe(run?.id);
	const steps = run?.steps ?? [];
	const node = (name: string) => steps.find((step) => step.name === name);
	expect(steps.map(({ name, status, attempt }) => [name, status, attempt])).toEqual([
		["plan", "completed", undefined],
		["a", "completed", undefined],
		["b", "completed", 2],
		["inner", "completed", undefined],
		["deep", "completed", undefined],
	]);
	expect(node("deep")?.parentId).toBe(node("inner")?.id);
	expect(node("b")).not.toHaveProperty("error");
	expect(node("plan")).toMatchObject({ output: { told: ["plan"] } });
});

it("records a failure, with the node's own error", async () => {
	const { recorder, chatId, userId, runs } = recording();
	const broken = async () => {
		throw new Error("it broke");
	};
	const graph = new StateGraph(State)
		.addNode("broken", broken)
		.addEdge(START, "broken")
		.addEdge("broken", END)
		.compile();
	const handler = langGraphRecorder({ recorder, chatId, userId, workflow: "breaks" });
	await expect(graph.invoke({ told: [] }, { callbacks: [handler] })).rejects.toThrow("it broke");
	const error = { message: "it broke" };
	expect(await runs()).toMatchObject([
		{ status: "failed", workflowName: "breaks", error, steps: [{ name: "broken", status: "failed", error }] },
	]);
});

it.each([0, 5])("records a graph that its caller aborts as cancelled, %i ms into a node", async (milliseconds) => {
	const { recorder, chatId, userId, runs } = recording();
	const abort = new AbortController();
	const slow = async () => {
		if (milliseconds === 0) abort.abort();
		else setTimeout(() => abort.abort(), milliseconds);
		// It ends behind the abort, however late that comes.
		if (!abort.signal.aborted) await new Promise((resolve) => abort.signal.addEventListener("abort", resolve));
		await new Promise((resolve) => setTimeout(resolve, 20));
		return { told: ["slow"] };
	};
	const graph = new StateGraph(State).addNode("slow", slow).addEdge(START, "slow").addEdge("slow", END).compile();
	const handler = langGraphRecorder({ recorder, chatId, userId });
	await expect(graph.invoke({ told: [] }, { callbacks: [handler], signal: abort.signal })).rejects.toThrow();
	const [cancelled] = await runs();
	expect(cancelled).toMatchObject({ status: "cancelled", steps: [{ name: "slow", status: "cancelled" }] });
	expect(cancelled).not.toHaveProperty("error");
});

it.each([
	["in the same process", undefined],
	["in another, by its run's id", "research of Monday"],
])("records an interrupt as waiting, and its resume as the same run: %s", async (_, runId) => {
	const { recorder, chatId, userId, runs } = recording();
	const ask = async () => ({ told: [interrupt("Shall I?") as string] });
	const graph = new StateGraph(State)
		.addNode("ask", ask)
		.addEdge(START, "ask")
		.addEdge("ask", END)
		.compile({ checkpointer: new MemorySaver() });
	const options = { recorder, userId, ...(runId && { runId: `${runId} ${chatId}` }) };
	let handler = langGraphRecorder(options);
	const invoke = (input: object) =>
		graph.invoke(input as never, { callbacks: [handler], configurable: { thread_id: chatId } });
	await invoke({ told: [] });
	const waits = { status: "running", activity: { message: "Shall I?", waiting: true } };
	expect(await runs()).toMatchObject([{ ...waits, steps: [{ name: "ask", ...waits }] }]);
	if (runId) handler = langGraphRecorder(options);
	await invoke(new Command({ resume: "yes" }));
	const [run, ...others] = await runs();
	expect(others).toEqual([]);
	expect(run).toMatchObject({ status: "completed", steps: [{ name: "ask", status: "completed" }] });
	expect(run).not.toHaveProperty("activity");
	if (runId) expect(run?.id).toBe(uuidFor("langgraph", `${runId} ${chatId}`));
});

/** Answers with one message, and its tokens. */
class Model extends BaseChatModel {
	readonly #message: AIMessage;

	constructor(message: AIMessage) {
		super({});
		this.#message = message;
	}

	_llmType() {
		return "test";
	}

	async _generate() {
		return { generations: [{ text: "", message: this.#message }] };
	}
}

it("records the tools that a node calls inside it, and the tokens of its models", async () => {
	const { recorder, chatId, userId, runs } = recording();
	const usage_metadata = { input_tokens: 7, output_tokens: 3, total_tokens: 10 };
	const model = new Model(new AIMessage({ content: "hi", usage_metadata } as never));
	const look = tool(async () => "sunny", {
		name: "weather",
		description: "weather",
		schema: { type: "object" } as never,
	});
	const broken = tool(
		async () => {
			throw new Error("no map");
		},
		{ name: "map", description: "map", schema: { type: "object" } as never },
	);
	const work = async (_state: unknown, config: object) => {
		await model.invoke("hello", config);
		await look.invoke({}, config);
		await broken.invoke({}, config).catch(() => {});
		return { told: ["done"] };
	};
	const graph = new StateGraph(State).addNode("work", work).addEdge(START, "work").addEdge("work", END).compile();
	await graph.invoke({ told: [] }, { callbacks: [langGraphRecorder({ recorder, chatId, userId })] });
	const [run] = await runs();
	expect(run).toMatchObject({ status: "completed", metrics: { inputTokens: 7, outputTokens: 3, totalTokens: 10 } });
	const parentId = run?.steps[0]?.id;
	expect(run && outline(run)).toMatchObject([
		{ name: "work", status: "completed" },
		{ name: "weather", status: "completed", parentId },
		{ name: "map", status: "failed", parentId, error: { message: "no map" } },
	]);
});
