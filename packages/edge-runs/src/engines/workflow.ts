import { RunState, toTimestamp } from "../protocol/run-state.ts";
import { uuidFor } from "../protocol/uuid.ts";
import { type AdapterOptions, type ChatOptions, quietly, send, toError } from "./adapter.ts";

/*
 * Workflow SDK (workflow, 4): records a run by the event log that its World keeps.
 * docs/engines/workflow.md says what it records.
 */

/** What is used of a `World`; `getWorld()` of workflow/runtime gives it. */
export interface WorkflowWorld {
	readonly events: {
		list(params: {
			runId: string;
			pagination?: { cursor?: string; sortOrder?: "asc" | "desc" };
		}): Promise<{ data: readonly unknown[]; cursor: string | null; hasMore: boolean }>;
	};
}

export interface WorkflowFollowing extends Omit<AdapterOptions, "outputs">, ChatOptions {
	readonly world: WorkflowWorld;
	/** Stops following, e.g. `AbortSignal.timeout(60_000)`. */
	readonly signal?: AbortSignal | undefined;
	/** How often the log is read. Default: every 1,000 ms. */
	readonly pollMilliseconds?: number | undefined;
}

/**
 * Follows a run from its first event until it ends. Called again, maybe elsewhere, it reports the same again, which
 * merges to nothing. Never throws.
 * @returns whether the run has ended; `error`: why its log could not be read
 */
export async function follow(runId: string, options: WorkflowFollowing): Promise<{ ended: boolean; error?: unknown }> {
	const { world, recorder, signal, pollMilliseconds = 1_000 } = options;
	const reader = new LogReader(runId, options);
	let cursor: string | undefined;
	try {
		while (!signal?.aborted) {
			const page = await readPage(runId, world, cursor);
			for (const event of page.data) quietly(() => reader.read(event as LogEvent));
			if (reader.state) send(recorder, options, reader.state);
			if (reader.state?.ended) break;
			cursor = page.cursor ?? cursor;
			if (!page.hasMore) await pause(pollMilliseconds, signal);
		}
		if (!reader.state?.ended) return { ended: false };
		// The log is in the order of time, and an event may get into it behind one that was read already. So it is read once
		// more, whole, before steps without an end are taken to have ended with their run.
		await pause(pollMilliseconds, signal);
		const whole = await readWhole(runId, options);
		whole.closeSteps();
		if (whole.state) send(recorder, options, whole.state);
		return { ended: true };
	} catch (error) {
		return { ended: reader.state?.ended ?? false, error };
	}
}

function readPage(runId: string, world: WorkflowWorld, cursor: string | undefined) {
	const pagination = { sortOrder: "asc" as const, ...(cursor !== undefined && { cursor }) };
	return world.events.list({ runId, pagination });
}

async function readWhole(runId: string, options: WorkflowFollowing): Promise<LogReader> {
	const reader = new LogReader(runId, options);
	for (let cursor: string | undefined, more = true; more; ) {
		const page = await readPage(runId, options.world, cursor);
		for (const event of page.data) quietly(() => reader.read(event as LogEvent));
		cursor = page.cursor ?? cursor;
		more = page.hasMore;
	}
	return reader;
}

interface LogEvent {
	readonly eventType: string;
	/** The step's, wait's or hook's id. */
	readonly correlationId?: string;
	readonly createdAt: Date | string;
	readonly eventData?: {
		readonly workflowName?: string;
		readonly stepName?: string;
		readonly attempt?: number;
		readonly error?: unknown;
		readonly resumeAt?: Date | string;
	};
}

class LogReader {
	/** From the first event on, which says the workflow's name. */
	state: RunState | undefined;
	readonly #runId: string;
	readonly #options: WorkflowFollowing;
	#ended: { status: "completed" | "failed" | "cancelled"; at: number } | undefined;

	constructor(runId: string, options: WorkflowFollowing) {
		this.#runId = runId;
		this.#options = options;
	}

	read({ eventType, correlationId: id = "", createdAt, eventData = {} }: LogEvent): void {
		const at = new Date(createdAt).getTime();
		this.state ??= this.#stateOf(eventData.workflowName);
		const { state } = this;
		const name = eventData.stepName === undefined ? undefined : nameOf(eventData.stepName);
		const named = name === undefined ? {} : { name };
		if (eventType === "run_created") state.queue();
		else if (eventType === "run_started") state.start(at);
		else if (eventType === "run_completed") this.#end("completed", at);
		else if (eventType === "run_failed") this.#end("failed", at, toError(eventData.error));
		else if (eventType === "run_cancelled") this.#end("cancelled", at);
		else if (eventType === "step_started") {
			// One for each attempt; a World need not number them.
			const attempt = eventData.attempt ?? state.occur(id);
			state.startStep(id, at, { ...named, attempt });
		} else if (eventType === "step_retrying") {
			const message = `Tries again after: ${toError(eventData.error).error.message}`;
			const attempt = (state.step(id)?.attempt ?? 1) + 1;
			state.startStep(id, at, { ...named, attempt, activity: { at: toTimestamp(at), message } });
		} else if (eventType === "step_completed") state.endStep(id, "completed", at, named);
		else if (eventType === "step_failed") state.endStep(id, "failed", at, { ...named, ...toError(eventData.error) });
		else if (eventType === "wait_created") {
			const until = eventData.resumeAt === undefined ? "" : ` until ${new Date(eventData.resumeAt).toISOString()}`;
			state.startStep(id, at, { name: "sleep", activity: { at: toTimestamp(at), message: `Sleeps${until}` } });
		} else if (eventType === "hook_created") {
			// Its token stays out: whoever knows it can resume the run.
			const activity = { at: toTimestamp(at), message: "Waits for a hook", waiting: true };
			state.startStep(id, at, { name: "hook", activity });
		} else if (eventType === "wait_completed" || eventType === "hook_received" || eventType === "hook_disposed") {
			if (state.step(id)?.status === "running") state.endStep(id, "completed", at);
		}
	}

	/** Steps that the log says no end of end with their run, in the same way. */
	closeSteps(): void {
		const { state } = this;
		const end = this.#ended;
		if (state && end) quietly(() => state.closeSteps(end.status, end.at));
	}

	#end(status: "completed" | "failed" | "cancelled", at: number, details = {}): void {
		this.#ended = { status, at };
		this.state?.endRun(status, at, details);
	}

	#stateOf(workflowName = "workflow"): RunState {
		const { workflow = nameOf(workflowName), messageId } = this.#options;
		return new RunState({
			id: uuidFor("workflow-sdk", this.#runId),
			workflowId: uuidFor("workflow", workflow),
			workflowName: workflow,
			externalId: this.#runId,
			...(messageId !== undefined && { messageId }),
		});
	}
}

/** `step//./workflows/research//fetchPages` as people call it: the function's name. */
const nameOf = (path: string) => path.slice(path.lastIndexOf("//") + 1).replace(/^\//, "");

function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
	return new Promise((resolve) => {
		const timer = setTimeout(done, milliseconds);
		signal?.addEventListener("abort", done, { once: true });
		function done() {
			clearTimeout(timer);
			signal?.removeEventListener("abort", done);
			resolve();
		}
	});
}
