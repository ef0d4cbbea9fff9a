import { quietly } from "./adapter.ts";
import { GraphRecorder, type LangGraphRecording } from "./langgraph-graphs.ts";

export type { LangGraphRecording } from "./langgraph-graphs.ts";

/*
 * LangGraph (@langchain/langgraph): a callback handler that records every invocation of a graph as a run, and its nodes
 * as steps. docs/engines/langgraph.md says what it records.
 */

/** The handler's methods, as @langchain/core calls them; give it as one of `callbacks`. */
export interface LangGraphHandler {
	awaitHandlers: boolean;
	handleChainStart(
		chain: unknown,
		inputs: unknown,
		runId: string,
		parentRunId?: string,
		tags?: string[],
		metadata?: Record<string, unknown>,
		runType?: string,
		runName?: string,
	): void;
	handleChainEnd(outputs: unknown, runId: string): void;
	handleChainError(error: unknown, runId: string): void;
	handleToolStart(
		tool: unknown,
		input: string,
		runId: string,
		parentRunId?: string,
		tags?: string[],
		metadata?: Record<string, unknown>,
		runName?: string,
		toolCallId?: string,
	): void;
	handleToolEnd(output: unknown, runId: string): void;
	handleToolError(error: unknown, runId: string): void;
	handleChatModelStart(llm: unknown, messages: unknown, runId: string, parentRunId?: string): void;
	handleLLMEnd(output: unknown, runId: string): void;
}

/** A callback handler that records the graphs it is given to: `graph.invoke(input, { callbacks: [handler] })`. */
export function langGraphRecorder(options: LangGraphRecording): LangGraphHandler {
	const graphs = new GraphRecorder(options);
	return {
		// In the engine's own order, and with its own times; a call costs microseconds.
		awaitHandlers: true,
		// In this order, whatever the declarations of @langchain/core say.
		handleChainStart: (chain, _inputs, runId, parentRunId, tags, metadata, _runType, runName) =>
			quietly(() => graphs.start(runId, parentRunId, tags ?? [], metadata, runName ?? nameOf(chain))),
		handleChainEnd: (outputs, runId) => quietly(() => graphs.end(runId, outputs)),
		handleChainError: (error, runId) => quietly(() => graphs.fail(runId, error)),
		handleToolStart: (tool, _input, runId, parentRunId, _tags, metadata, runName, toolCallId) =>
			quietly(() => graphs.startTool(runId, parentRunId, metadata, runName ?? nameOf(tool), toolCallId)),
		handleToolEnd: (output, runId) => quietly(() => graphs.end(runId, output)),
		handleToolError: (error, runId) => quietly(() => graphs.fail(runId, error)),
		handleChatModelStart: (_llm, _messages, runId, parentRunId) => quietly(() => graphs.belongs(runId, parentRunId)),
		handleLLMEnd: (output, runId) => quietly(() => graphs.count(runId, output)),
	};
}

/** A chain's or tool's own name, where the invocation gave none: the last part of its serialized id. */
function nameOf(serialized: unknown): string {
	const { name, id } = (serialized ?? {}) as { name?: unknown; id?: unknown[] };
	return String(name ?? id?.at(-1) ?? "langgraph");
}
