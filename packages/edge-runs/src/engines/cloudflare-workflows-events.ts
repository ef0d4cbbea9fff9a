import type { RunState } from "../protocol/run-state.ts";
import { type AdapterOptions, toError, toOutput } from "./adapter.ts";
import { doId, retrying, sleepId, waitId } from "./cloudflare-workflows-run.ts";

/** What is used of an event of an instance (developers.cloudflare.com/workflows/build/subscribe-to-instance-events). */
export interface InstanceEvent {
	readonly eventId: number;
	readonly timestamp: number;
	readonly type: string;
	readonly stepName?: string;
	readonly attempt?: number;
	readonly retryDelayMs?: number;
	readonly durationMs?: number;
	readonly eventType?: string;
	readonly error?: unknown;
	readonly output?: unknown;
	readonly params?: unknown;
}

/** Reads an instance's events, in their order, into its run's state. */
export class EventReader {
	readonly #state: RunState;
	readonly #outputs: AdapterOptions["outputs"];
	/** The first event of each step that is open. */
	readonly #open = new Map<string, number>();
	readonly #errors = new Map<string, unknown>();
	#last: number | undefined;
	#paused = false;

	/** @param cursor the last event that was read before */
	constructor(state: RunState, { outputs, cursor }: Pick<AdapterOptions, "outputs"> & { cursor?: number | undefined }) {
		this.#state = state;
		this.#outputs = outputs;
		this.#last = cursor;
	}

	/** Where to go on. It lies before the steps that are still open. */
	get cursor(): { cursor?: number } {
		if (this.#last === undefined) return {};
		return { cursor: Math.min(this.#last, ...[...this.#open.values()].map((first) => first - 1)) };
	}

	read(event: InstanceEvent): void {
		this.#last = event.eventId;
		const { type, timestamp: at, stepName, attempt = 1, error } = event;
		if (stepName === undefined) this.#readRun(type, at, event);
		else if (type.startsWith("sleep_"))
			this.#readPause(sleepId(stepName), event, `Sleeps for ${event.durationMs} ms`, false);
		else if (type.startsWith("wait_")) this.#readPause(waitId(stepName), event, `Waits for ${event.eventType}`, true);
		else if (type === "step_started") this.#start(doId(stepName), event, {});
		else if (type === "attempt_started") this.#start(doId(stepName), event, { attempt, activity: undefined });
		else if (type === "attempt_errored") {
			this.#errors.set(stepName, error);
			if (event.retryDelayMs !== undefined) this.#start(doId(stepName), event, retrying(attempt + 1, error, at));
		} else if (type === "step_completed") {
			this.#end(doId(stepName), "completed", event, toOutput(event.output, this.#outputs));
		} else if (type === "step_errored") {
			this.#end(doId(stepName), "failed", event, toError(this.#errors.get(stepName)));
		}
	}

	#readRun(type: string, at: number, event: InstanceEvent): void {
		if (type === "workflow_started" || type === "workflow_running") this.#state.start(at);
		if (type === "workflow_running" && this.#paused) this.#state.act(at, "Goes on");
		this.#paused = type === "workflow_paused";
		if (this.#paused) this.#state.act(at, "Paused", true);
		else if (type === "workflow_completed") this.#state.end("completed", at, toOutput(event.output, this.#outputs));
		else if (type === "workflow_errored") this.#state.end("failed", at, toError(event.error));
		else if (type === "workflow_terminated") this.#state.end("cancelled", at);
	}

	#readPause(id: string, event: InstanceEvent, message: string, waiting: boolean): void {
		const activity = { at: new Date(event.timestamp).toISOString(), message, ...(waiting && { waiting }) };
		if (event.type.endsWith("_started")) this.#start(id, event, { activity });
		else if (event.type === "wait_timed_out")
			this.#end(id, "failed", event, toError(event.error ?? "Nothing came in time"));
		else this.#end(id, "completed", event, {});
	}

	#start(id: string, event: InstanceEvent, details: object): void {
		if (!this.#open.has(id)) this.#open.set(id, event.eventId);
		this.#state.startStep(id, event.timestamp, { name: nameOf(event), ...details });
	}

	#end(id: string, status: "completed" | "failed", event: InstanceEvent, details: object): void {
		this.#open.delete(id);
		this.#state.endStep(id, status, event.timestamp, { name: nameOf(event), ...details });
	}
}

/** A step's name as its author wrote it. */
const nameOf = ({ stepName = "" }: InstanceEvent) => stepName.replace(/-\d+$/, "");
