import { type AgUiOptions, READERS } from "./ag-ui-events.ts";
import { AgUiEventError, type Fields, isObject, MAX_RUN_ID, optionalText, text, timestamp } from "./ag-ui-fields.ts";
import { AgUiRun, isStep, nameOfStep } from "./ag-ui-steps.ts";
import type { WorkflowRunReport } from "./types.ts";
import { uuidFor } from "./uuid.ts";

export type { AgUiOptions } from "./ag-ui-events.ts";
export { AgUiEventError } from "./ag-ui-fields.ts";

/*
 * AG-UI 1.0 events (docs.ag-ui.com/concepts/events) to reports of runs. The adapter `edge-runs/engines/ag-ui` and the
 * route `POST /api/chats/:chatId/ag-ui-events` read by this one. Pure: no I/O, no clock.
 */

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
