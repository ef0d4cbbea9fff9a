import { RunState, toTimestamp } from "../protocol/run-state.ts";
import { uuidFor } from "../protocol/uuid.ts";
import { type AdapterOptions, type ChatOptions, isAbort, send, toError, toMessage, toOutput } from "./adapter.ts";

/*
 * The graphs that run now, as LangChain's callbacks tell of them.
 */

export interface LangGraphRecording extends AdapterOptions, Partial<ChatOptions> {
	/** Default: the `thread_id` of the invocation's `configurable`. */
	readonly chatId?: string;
	/** The run's id, so that an invocation which resumes an interrupted one goes on with its run in another process. */
	readonly runId?: string;
}

type Metadata = Record<string, unknown> | undefined;

/** One invocation, or several where an interrupted one was resumed. */
interface Graph {
	readonly state: RunState;
	readonly chat: ChatOptions;
	readonly thread: unknown;
	/** LangChain's id of the root chain of the current invocation. */
	root: string;
	/** Whether a node waits for somebody. */
	interrupted: boolean;
}

interface Chain {
	readonly graph: Graph;
	/** The step that it is; undefined: it is only a part of one. */
	readonly step?: string;
}

const TOOL = "tool:";

/** Interrupted runs that are remembered, so that they go on when they are resumed. */
const MAX_INTERRUPTED = 1_000;

export class GraphRecorder {
	readonly #options: LangGraphRecording;
	/** What runs now, by LangChain's ids. */
	readonly #chains = new Map<string, Chain>();
	readonly #interrupted = new Map<unknown, Graph>();

	constructor(options: LangGraphRecording) {
		this.#options = options;
	}

	start(id: string, parentId: string | undefined, tags: string[], metadata: Metadata, name: string): void {
		const parent = parentId === undefined ? undefined : this.#chains.get(parentId);
		if (parent) this.#startNode(parent.graph, id, parentId, tags, metadata, name);
		else this.#startGraph(id, metadata, name);
	}

	#startNode(
		graph: Graph,
		id: string,
		parentId: string | undefined,
		tags: string[],
		metadata: Metadata,
		name: string,
	): void {
		// A node's task has this tag; other chains, such as a subgraph's own, run inside of one.
		const isNode = tags.some((tag) => tag.startsWith("graph:step:")) && !tags.includes("langsmith:hidden");
		const task = metadata?.["langgraph_checkpoint_ns"];
		if (!isNode || typeof task !== "string") {
			this.belongs(id, parentId);
			return;
		}
		const before = graph.state.step(task);
		const attempt = (before?.attempt ?? 1) + (before?.status === "failed" ? 1 : 0);
		const resumed = before?.activity?.waiting ? { activity: { at: toTimestamp(Date.now()), message: "Resumed" } } : {};
		const parentStep = task.includes("|") ? task.slice(0, task.lastIndexOf("|")) : undefined;
		graph.state.startStep(task, Date.now(), { name, attempt, ...resumed, ...this.#inside(graph, parentStep) });
		this.#chains.set(id, { graph, step: task });
		this.#send(graph);
	}

	startTool(id: string, parentId: string | undefined, metadata: Metadata, name: string, callId?: string): void {
		const graph = this.#chains.get(parentId ?? "")?.graph;
		if (!graph) return;
		const step = `${TOOL}${callId ?? id}`;
		graph.state.startStep(step, Date.now(), { name, ...this.#inside(graph, metadata?.["langgraph_checkpoint_ns"]) });
		this.#chains.set(id, { graph, step });
		this.#send(graph);
	}

	/** Something that is no step, inside of one. */
	belongs(id: string, parentId: string | undefined): void {
		const parent = this.#chains.get(parentId ?? "");
		if (parent) this.#chains.set(id, { graph: parent.graph });
	}

	/** A model has answered: its tokens. */
	count(id: string, output: unknown): void {
		const { generations } = output as { generations: { message?: { usage_metadata?: Record<string, unknown> } }[][] };
		const graph = this.#chains.get(id)?.graph;
		this.#chains.delete(id);
		const usage = generations[0]?.[0]?.message?.usage_metadata;
		if (!graph || !usage) return;
		const { input_tokens: inputTokens, output_tokens: outputTokens, total_tokens: totalTokens } = usage;
		graph.state.add({ inputTokens, outputTokens, totalTokens });
		this.#send(graph);
	}

	end(id: string, outputs: unknown): void {
		const chain = this.#chains.get(id);
		if (!chain) return;
		const { graph, step } = chain;
		this.#chains.delete(id);
		const output = toOutput(outputs, this.#options.outputs);
		if (step !== undefined) graph.state.endStep(step, "completed", Date.now(), output);
		else if (graph.root !== id) return;
		else if (graph.interrupted) this.#pause(graph);
		else this.#endGraph(graph, () => graph.state.end("completed", Date.now(), output));
		this.#send(graph);
	}

	fail(id: string, error: unknown): void {
		const chain = this.#chains.get(id);
		if (!chain) return;
		const { graph, step } = chain;
		this.#chains.delete(id);
		const status = isAbort(error) ? "cancelled" : "failed";
		const details = status === "failed" ? toError(error) : {};
		const { name } = error as { name?: unknown };
		if (step === undefined) {
			if (graph.root !== id) return;
			this.#endGraph(graph, () => graph.state.end(status, Date.now(), details));
		} else if (name === "GraphInterrupt" || name === "NodeInterrupt") {
			graph.interrupted = true;
			graph.state.startStep(step, Date.now(), { activity: waitingFor(error) });
			graph.state.act(Date.now(), waitingFor(error).message, true);
		} else if (name === "ParentCommand") {
			// How a node of a subgraph hands over to one of the parent's.
			graph.state.endStep(step, "completed", Date.now());
		} else graph.state.endStep(step, status, Date.now(), details);
		// A graph that is aborted while its node works may never tell its own end.
		if (status === "cancelled" && step !== undefined && !step.startsWith(TOOL)) {
			this.#endGraph(graph, () => graph.state.end("cancelled", Date.now()));
		}
		this.#send(graph);
	}

	#startGraph(id: string, metadata: Metadata, name: string): void {
		const thread = metadata?.["thread_id"];
		const { workflow = name, messageId, userId, runId = id } = this.#options;
		const chatId = this.#options.chatId ?? thread;
		// A run belongs to a chat.
		if (typeof chatId !== "string") return;
		const known = this.#interrupted.get(thread);
		const graph: Graph = known ?? {
			chat: { chatId, userId },
			thread,
			root: id,
			interrupted: false,
			state: new RunState({
				id: uuidFor("langgraph", runId),
				workflowId: uuidFor("workflow", workflow),
				workflowName: workflow,
				externalId: runId,
				...(messageId !== undefined && { messageId }),
			}),
		};
		this.#interrupted.delete(thread);
		graph.root = id;
		if (known) graph.state.act(Date.now(), "Resumed");
		graph.interrupted = false;
		graph.state.start(Date.now());
		this.#chains.set(id, { graph });
		this.#send(graph);
	}

	#pause(graph: Graph): void {
		this.#forget(graph);
		if (graph.thread === undefined) return;
		this.#interrupted.set(graph.thread, graph);
		const [oldest] = this.#interrupted.keys();
		if (this.#interrupted.size > MAX_INTERRUPTED) this.#interrupted.delete(oldest);
	}

	#endGraph(graph: Graph, end: () => void): void {
		this.#forget(graph);
		end();
	}

	/** Nodes that were aborted may end long after their graph. */
	#forget(graph: Graph): void {
		for (const [id, chain] of this.#chains) if (chain.graph === graph) this.#chains.delete(id);
	}

	#inside({ state }: Graph, task: unknown): { parentId?: string } {
		const parentId = typeof task === "string" ? state.step(task)?.id : undefined;
		return parentId === undefined ? {} : { parentId };
	}

	#send({ chat, state }: Graph): void {
		send(this.#options.recorder, chat, state);
	}
}

/** What a node waits for: the value it was interrupted with. */
function waitingFor(error: unknown) {
	const { interrupts } = error as { interrupts?: { value?: unknown }[] };
	return { at: toTimestamp(Date.now()), message: toMessage(interrupts?.[0]?.value, "Waits"), waiting: true };
}
