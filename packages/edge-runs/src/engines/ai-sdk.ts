import { RunState } from "../protocol/run-state.ts";
import { uuidFor } from "../protocol/uuid.ts";
import { type AdapterOptions, type ChatOptions, isAbort, quietly, send, toError, toOutput } from "./adapter.ts";

/*
 * AI SDK (ai, 7): a telemetry integration that records every generation as a run, its steps (a call of the model each)
 * as steps, and the tools that they call as steps inside those. docs/engines/ai-sdk.md says what it records.
 */

export interface AiSdkRecording extends AdapterOptions, Partial<ChatOptions> {
	/** Default: `chatId` of the call's `runtimeContext`, where `includeRuntimeContext` lets it through. */
	readonly chatId?: string;
}

/** The hooks of a `Telemetry` of the AI SDK; what they are given is read with care, since it grows with the SDK. */
export interface AiSdkTelemetry {
	onStart(event: unknown): void;
	onStepStart(event: unknown): void;
	onToolExecutionStart(event: unknown): void;
	onToolExecutionEnd(event: unknown): void;
	onStepEnd(event: unknown): void;
	onStepError(event: unknown): void;
	onEnd(event: unknown): void;
	onAbort(event: unknown): void;
	onError(event: unknown): void;
}

/**
 * Give it to a call, `telemetry: { integrations: aiSdkRecorder({ recorder, chatId }) }`, or to all of them by
 * `registerTelemetry(aiSdkRecorder({ recorder }))`.
 */
export function aiSdkRecorder(options: AiSdkRecording): AiSdkTelemetry {
	const calls = new Map<string, Call>();
	const tell = (event: unknown, change: (call: Call, event: Event, now: number) => void) =>
		quietly(() => {
			const call = calls.get((event as Event).callId);
			if (!call) return;
			change(call, event as Event, Date.now());
			call.chat ??= chatOf(options, (event as Event).runtimeContext);
			// Until the chat is known, what is to be said waits in `state`.
			if (call.chat) send(options.recorder, call.chat, call.state);
			if (call.state.ended) calls.delete((event as Event).callId);
		});
	return {
		onStart(event) {
			quietly(() => {
				const { callId, operationId = "", functionId } = event as Event;
				if (!GENERATIONS.has(operationId)) return;
				const name = options.workflow ?? functionId ?? operationId;
				calls.set(callId, { state: stateOf(callId, name, options), step: "" });
			});
			tell(event, ({ state }, _event, now) => state.start(now));
		},
		onStepStart: (event) =>
			tell(event, (call, { stepNumber, modelId }, now) => {
				call.step = `step-${stepNumber}`;
				call.state.startStep(call.step, now, { name: modelId });
			}),
		onToolExecutionStart: (event) =>
			tell(event, (call, { toolCall }, now) => {
				const { toolCallId, toolName } = toolCall ?? {};
				call.state.startStep(`tool:${toolCallId}`, now, { name: toolName, parentId: call.step });
			}),
		onToolExecutionEnd: (event) =>
			tell(event, ({ state }, { toolCall, toolOutput }, now) => {
				const failed = toolOutput?.type === "tool-error";
				const details = failed ? toError(toolOutput.error) : toOutput(toolOutput?.output, options.outputs);
				state.endStep(`tool:${toolCall?.toolCallId}`, failed ? "failed" : "completed", now, details);
			}),
		onStepEnd: (event) =>
			tell(event, ({ state }, { stepNumber, usage = {}, text }, now) => {
				const { inputTokens, outputTokens, totalTokens } = usage;
				state.add({ inputTokens, outputTokens, totalTokens });
				state.endStep(`step-${stepNumber}`, "completed", now, toOutput(text || undefined, options.outputs));
			}),
		onStepError: (event) =>
			tell(event, ({ state }, { stepNumber, error }, now) => {
				if (isAbort(error)) state.endStep(`step-${stepNumber}`, "cancelled", now);
				else state.endStep(`step-${stepNumber}`, "failed", now, toError(error));
			}),
		onEnd: (event) =>
			tell(event, ({ state }, { text, object }, now) =>
				state.end("completed", now, toOutput(object ?? text, options.outputs)),
			),
		onAbort: (event) => tell(event, ({ state }, _event, now) => state.end("cancelled", now)),
		onError: (event) =>
			tell(event, ({ state }, { error }, now) => {
				if (isAbort(error)) state.end("cancelled", now);
				else state.end("failed", now, toError(error));
			}),
	};
}

/** Operations that are runs; embedding, for one, is not. */
const GENERATIONS = new Set(["ai.generateText", "ai.streamText", "ai.generateObject", "ai.streamObject"]);

interface Call {
	readonly state: RunState;
	chat?: ChatOptions | undefined;
	/** The step that calls tools now. */
	step: string;
}

/** What the hooks are given, as far as it is used. */
interface Event {
	readonly callId: string;
	readonly operationId?: string;
	readonly functionId?: string;
	readonly modelId?: string;
	readonly stepNumber?: number;
	readonly runtimeContext?: Record<string, unknown>;
	readonly toolCall?: { readonly toolCallId?: string; readonly toolName?: string };
	readonly toolOutput?: { readonly type?: string; readonly output?: unknown; readonly error?: unknown };
	readonly usage?: { readonly inputTokens?: number; readonly outputTokens?: number; readonly totalTokens?: number };
	readonly text?: string;
	readonly object?: unknown;
	readonly error?: unknown;
}

function chatOf({ chatId, userId }: AiSdkRecording, context: Event["runtimeContext"]): ChatOptions | undefined {
	const id = chatId ?? context?.["chatId"];
	const user = userId ?? context?.["userId"];
	return typeof id === "string" ? { chatId: id, userId: typeof user === "string" ? user : undefined } : undefined;
}

function stateOf(callId: string, workflow: string, { messageId }: AiSdkRecording): RunState {
	return new RunState({
		id: uuidFor("ai-sdk", callId),
		workflowId: uuidFor("workflow", workflow),
		workflowName: workflow,
		externalId: callId,
		...(messageId !== undefined && { messageId }),
	});
}
