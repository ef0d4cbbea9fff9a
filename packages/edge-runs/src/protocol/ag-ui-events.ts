import { type Fields, isObject, MAX_RUN_ID, optionalText, text } from "./ag-ui-fields.ts";
import { type AgUiRun, finishedOccurrence, parent, startedOccurrence, subagentOf } from "./ag-ui-steps.ts";
import { stepId } from "./run-state.ts";
import type { JsonValue } from "./types.ts";

/*
 * What each AG-UI event says of its run. Pure.
 */

export interface AgUiOptions {
	/** The workflow's name, which AG-UI does not tell. */
	readonly workflow: string;
	/** Whether results of runs and tool calls are recorded; the chat's owner can read what is. */
	readonly outputs?: boolean | undefined;
	readonly messageId?: string | undefined;
}

type Reader = (run: AgUiRun, event: Fields, at: number, options: AgUiOptions) => void;

/** By the event's type. What is not here is ignored. */
export const READERS: Readonly<Record<string, Reader>> = {
	RUN_STARTED: () => {},
	RUN_FINISHED(run, event, at, options) {
		text(event, "runId", MAX_RUN_ID);
		const cancelled = isObject(event["outcome"]) && event["outcome"]["type"] === "cancelled";
		addUsage(run, event);
		run.end(cancelled ? "cancelled" : "completed", at, outputOf(event, "result", options));
	},
	RUN_ERROR(run, event, at) {
		const error = { message: text(event, "message", Number.POSITIVE_INFINITY, 0) };
		addUsage(run, event);
		run.end("failed", at, { error });
	},
	STEP_STARTED(run, event, at) {
		const name = text(event, "stepName");
		const inside = parent(subagentOf(event));
		const id = startedOccurrence(run, event, at);
		run.startStep(id, at, { name, ...inside });
		if (run.step(id)?.status === "running") run.openSteps(inside.parentId).add(id);
	},
	STEP_FINISHED(run, event, at) {
		const inside = parent(subagentOf(event));
		const id = finishedOccurrence(run, event, at);
		run.endStep(id, "completed", at, { name: text(event, "stepName"), ...inside });
		run.openSteps(inside.parentId).delete(id);
	},
	TOOL_CALL_START: startTool,
	TOOL_CALL_CHUNK(run, event, at) {
		// Only the first of a call's chunks says which tool it is.
		if (event["toolCallId"] !== undefined && event["toolCallName"] !== undefined) startTool(run, event, at);
	},
	TOOL_CALL_END(_run, event) {
		// The arguments are complete; what came of the call is in TOOL_CALL_RESULT.
		text(event, "toolCallId");
	},
	TOOL_CALL_RESULT(run, event, at, options) {
		const id = `tool:${text(event, "toolCallId")}`;
		run.endStep(id, "completed", at, outputOf(event, "content", options));
	},
	SUBAGENT_STARTED(run, event, at) {
		const id = text(event, "subagentRunId");
		const [agent, tool] = [optionalText(event, "parentSubagentRunId"), optionalText(event, "parentToolCallId")];
		const inside = tool !== undefined ? { parentId: stepId(`tool:${tool}`) } : parent(agent);
		run.startStep(`subagent:${id}`, at, { name: text(event, "name"), ...inside });
	},
	SUBAGENT_FINISHED(run, event, at, options) {
		run.endStep(`subagent:${text(event, "subagentRunId")}`, "completed", at, outputOf(event, "result", options));
	},
	SUBAGENT_ERROR(run, event, at) {
		const error = { message: text(event, "message", Number.POSITIVE_INFINITY, 0) };
		run.endStep(`subagent:${text(event, "subagentRunId")}`, "failed", at, { error });
	},
};

function startTool(run: AgUiRun, event: Fields, at: number): void {
	const scope = parent(subagentOf(event));
	const open = run.openSteps(scope.parentId);
	// Which step calls it is not said: with one open step there is no doubt.
	const [parentId] = open.size === 1 ? open : [];
	const inside = parentId === undefined ? scope : { parentId };
	run.startStep(`tool:${text(event, "toolCallId")}`, at, { name: text(event, "toolCallName"), ...inside });
}

/** What came of it, where that is to be recorded. Events are JSON, and so are their fields. */
function outputOf(event: Fields, field: string, { outputs }: AgUiOptions): { output?: JsonValue } {
	return outputs && event[field] !== undefined ? { output: event[field] as JsonValue } : {};
}

/** Token counts, added up over the models. A run ends once: told again, they are the same. */
function addUsage(run: AgUiRun, { usage }: Fields): void {
	if (run.ended) return;
	for (const model of Array.isArray(usage) ? usage : []) if (isObject(model)) run.add(model);
}
