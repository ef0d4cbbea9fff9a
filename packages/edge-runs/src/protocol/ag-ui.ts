import { RunState, type StepDetails, stepId, toTimestamp } from "./run-state.ts";
import type { JsonValue, WorkflowRunReport } from "./types.ts";
import { uuidFor } from "./uuid.ts";

/*
 * AG-UI 1.0 events (docs.ag-ui.com/concepts/events) to reports of runs. The adapter `edge-runs/engines/ag-ui` and the
 * route `POST /api/chats/:chatId/ag-ui-events` read by this one. Pure: no I/O, no clock.
 */

/** An event that is not what the protocol says. */
export class AgUiEventError extends Error {
	override readonly name = "AgUiEventError";
}

export interface AgUiOptions {
	/** The workflow's name, which AG-UI does not tell. */
	readonly workflow: string;
	/** Whether results of runs and tool calls are recorded; the chat's owner can read what is. */
	readonly outputs?: boolean | undefined;
	readonly messageId?: string | undefined;
}

type Fields = Record<string, unknown>;

/**
 * Reads a stream of events, of one run or of several that follow each other. Steps have no ids in AG-UI: theirs are
 * made of name and occurrence since `RUN_STARTED`, so that the same events give the same steps.
 */
export class AgUiReader {
	readonly #options: AgUiOptions;
	#run: AgUiRun | undefined;
	/** Those before the current one, until `take`. */
	readonly #before: AgUiRun[] = [];

	constructor(options: AgUiOptions) {
		this.#options = options;
	}

	/**
	 * Reads one event. What it does not use it ignores.
	 * @param now ms since 1970, for events without `timestamp`
	 * @throws {AgUiEventError} it is malformed, or belongs to no run
	 */
	read(event: unknown, now: number): void {
		if (!isObject(event)) throw new AgUiEventError("must be an object");
		const type = text(event, "type");
		const read = Object.hasOwn(READERS, type) ? READERS[type] : undefined;
		if (!read) return;
		const at = timestamp(event) ?? now;
		if (type === "RUN_STARTED") this.#start(event, at);
		else if (this.#run) read(this.#run, event, at, this.#options);
		else throw new AgUiEventError("type: the first event must be RUN_STARTED");
	}

	/** Goes on with a run whose first events were read elsewhere; `stored` is what is known of it. */
	resume(runId: string, stored: WorkflowRunReport | null): void {
		this.#run = new AgUiRun({ ...this.#head(runId), ...(stored && { workflowId: stored.workflowId }) });
		this.#run.restore(stored, nameOfStep);
		for (const { id, parentId } of this.#run.open) if (isStep(id)) this.#run.openSteps(parentId).add(id);
	}

	/** What changed since the last call: a report a run, in the order of the events. */
	take(): (WorkflowRunReport & { id: string })[] {
		const runs = [...this.#before.splice(0), ...(this.#run ? [this.#run] : [])];
		return runs.flatMap((run) => run.take() ?? []);
	}

	/** The connection broke, or the agent threw, before it said how the run ended. */
	stop(status: "failed" | "cancelled", now: number, message?: string): void {
		if (!this.#run || this.#run.ended) return;
		this.#run.end(status, now, { ...(message !== undefined && { error: { message } }) });
	}

	#head(runId: string) {
		const { workflow, messageId } = this.#options;
		const workflowId = uuidFor("workflow", workflow);
		return {
			id: uuidFor("ag-ui", runId),
			workflowId,
			workflowName: workflow,
			externalId: runId,
			...(messageId !== undefined && { messageId }),
		};
	}

	#start(event: Fields, at: number): void {
		const runId = text(event, "runId", MAX_RUN_ID);
		text(event, "threadId");
		const parent = optionalText(event, "parentRunId");
		if (this.#run?.head.externalId !== runId) {
			if (this.#run) this.#before.push(this.#run);
			const parentRunId = parent === undefined ? {} : { parentRunId: uuidFor("ag-ui", parent) };
			this.#run = new AgUiRun({ ...this.#head(runId), ...parentRunId });
		}
		this.#run.recount();
		this.#run.start(at);
	}
}

/** The run that a part of a stream belongs to, if one of its events says; only those two have its id. */
export function runIdOf(events: readonly unknown[]): string | undefined {
	for (const event of events) {
		if (isObject(event) && (event["type"] === "RUN_STARTED" || event["type"] === "RUN_FINISHED")) {
			return text(event, "runId", MAX_RUN_ID);
		}
	}
	return undefined;
}

/** Whether an event says something of a run that has begun before it. */
export function continuesRun(event: unknown): boolean {
	if (!isObject(event)) return false;
	const { type } = event;
	return typeof type === "string" && Object.hasOwn(READERS, type) && type !== "RUN_STARTED";
}

class AgUiRun extends RunState {
	readonly #openSteps = new Map<string | undefined, Set<string>>();

	/** The steps of STEP_STARTED that are open, by what they are part of. */
	openSteps(parentId: string | undefined): Set<string> {
		const known = this.#openSteps.get(parentId) ?? new Set();
		this.#openSteps.set(parentId, known);
		return known;
	}
}

type Reader = (run: AgUiRun, event: Fields, at: number, options: AgUiOptions) => void;

const READERS: Readonly<Record<string, Reader>> = {
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
		const id = occurrenceOf(run, event, at);
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

const STEP = "step:";
const scopedName = (scope: string | undefined, name: string) => (scope === undefined ? name : `${scope}/${name}`);
const idOfStep = (scoped: string, count: number) => stepId(`${STEP}${scoped}-${count}`);
const isStep = (id: string) => id.startsWith(STEP);
/** The name in a step's id, which `occur` counts; null: no STEP_STARTED made it. */
const nameOfStep = (id: string) => (isStep(id) ? id.slice(STEP.length).replace(/-\d+$/, "") : null);

/**
 * Which occurrence of its name a STEP_STARTED is. One that is still open is the same one, since AG-UI allows no two at a
 * time. In a part that goes on with a recorded run, so is one that started at the event's very moment, and the last one
 * of a run that has ended: the part is told again.
 */
function occurrenceOf(run: AgUiRun, event: Fields, at: number): string {
	const key = scopedName(subagentOf(event), text(event, "stepName"));
	const count = run.occurrences(key);
	const last = count > 0 ? run.step(idOfStep(key, count)) : undefined;
	if (last && (last.status === "running" || run.ended)) return last.id;
	const startedAt = timestamp(event) === undefined ? undefined : toTimestamp(at);
	for (let known = count; startedAt !== undefined && known > 0; known--) {
		const step = run.restored(idOfStep(key, known));
		if (step?.startedAt === startedAt) return step.id;
	}
	return idOfStep(key, run.occur(key));
}

/**
 * Which occurrence of its name a STEP_FINISHED is: the last one. In a part that goes on with a recorded run, it is the
 * one that ended at the event's very moment, or the last one that had begun by then: the part is told again.
 */
function finishedOccurrence(run: AgUiRun, event: Fields, at: number): string {
	const key = scopedName(subagentOf(event), text(event, "stepName"));
	const count = run.occurrences(key) || run.occur(key);
	if (timestamp(event) === undefined) return idOfStep(key, count);
	const moment = toTimestamp(at);
	for (let known = count; known > 0; known--) {
		if (run.restored(idOfStep(key, known))?.completedAt === moment) return idOfStep(key, known);
	}
	let begun = count;
	while (begun > 1 && (run.restored(idOfStep(key, begun))?.startedAt ?? "") > moment) begun--;
	return idOfStep(key, begun);
}

const subagentOf = (event: Fields) => optionalText(event, "subagentRunId");
const parent = (subagent: string | undefined): Pick<StepDetails, "parentId"> =>
	subagent === undefined ? {} : { parentId: stepId(`subagent:${subagent}`) };

/** What came of it, where that is to be recorded. Events are JSON, and so are their fields. */
function outputOf(event: Fields, field: string, { outputs }: AgUiOptions): { output?: JsonValue } {
	return outputs && event[field] !== undefined ? { output: event[field] as JsonValue } : {};
}

/** Token counts, added up over the models. A run ends once: told again, they are the same. */
function addUsage(run: AgUiRun, { usage }: Fields): void {
	if (run.ended) return;
	for (const model of Array.isArray(usage) ? usage : []) if (isObject(model)) run.add(model);
}

/** It becomes the run's `externalId`. */
const MAX_RUN_ID = 200;
/** Of what becomes an id or a name; longer than any that makes sense. */
const MAX_TEXT = 4_000;

const isObject = (value: unknown): value is Fields =>
	typeof value === "object" && value !== null && !Array.isArray(value);

function text(event: Fields, field: string, max = MAX_TEXT, min = 1): string {
	const value = event[field];
	if (typeof value === "string" && value.length >= min && value.length <= max) return value;
	const size = Number.isFinite(max) ? ` of ${min} to ${max} characters` : "";
	throw new AgUiEventError(`${field}: must be a string${size}`);
}

function optionalText(event: Fields, field: string): string | undefined {
	return event[field] === undefined || event[field] === null ? undefined : text(event, field);
}

/** 9999-12-31T23:59:59.999Z: what a timestamp of four digits can say. */
const MAX_TIME = 253_402_300_799_999;

function timestamp(event: Fields): number | undefined {
	const value = event["timestamp"];
	if (value === undefined || value === null) return undefined;
	if (typeof value === "number" && value >= 0 && value <= MAX_TIME) return Math.trunc(value);
	throw new AgUiEventError("timestamp: must be a number of milliseconds since 1970");
}
