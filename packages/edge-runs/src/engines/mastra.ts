import { RunState, toTimestamp } from "../protocol/run-state.ts";
import { uuidFor } from "../protocol/uuid.ts";
import { type AdapterOptions, type ChatOptions, quietly, send, toError, toMessage, toOutput } from "./adapter.ts";

/*
 * Mastra (@mastra/core): records the runs of a workflow by its own hooks: `options` for start and end, `run.watch` for
 * the steps. docs/engines/mastra.md says what it records.
 */

/** What is used of a `Run`. */
export interface MastraRun {
	readonly runId: string;
	readonly workflowId: string;
	watch(callback: (event: { type: string; payload?: unknown }) => void): () => void;
}

/** For `createWorkflow({ options })`. Where you have such callbacks yourself, call these in them. */
export interface MastraHooks {
	onStart(info: { runId: string; workflowId: string }): void;
	onFinish(result: { runId: string; workflowId: string; status: string }): void;
}

export interface MastraRecorder {
	readonly options: MastraHooks;
	/** Records a run that `createRun` made, and returns it. */
	record<R extends MastraRun>(run: R, chat: ChatOptions): R;
}

/** One for each process, for all its workflows. */
export function mastraRecorder(options: AdapterOptions): MastraRecorder {
	const runs = new Map<string, RecordedRun>();
	/** A workflow inside another one may have hooks too, and the same run id. */
	const find = ({ runId, workflowId }: { runId: string; workflowId: string }) => {
		const run = runs.get(runId);
		return run?.workflowId === workflowId ? run : undefined;
	};
	return {
		options: {
			onStart: (info) => find(info)?.start(),
			onFinish(result) {
				const run = find(result);
				run?.finish(result);
				if (!run?.ended) return;
				run.unwatch();
				runs.delete(result.runId);
			},
		},
		record(run, chat) {
			quietly(() => {
				runs.get(run.runId)?.unwatch();
				runs.set(run.runId, new RecordedRun(run, chat, options));
				forgetOldest(runs);
			});
			return run;
		},
	};
}

/** Runs that are suspended, or were never started, are remembered, but not for ever. */
const MAX_RUNS = 10_000;

function forgetOldest(runs: Map<string, RecordedRun>): void {
	const [oldest] = runs;
	if (runs.size <= MAX_RUNS || !oldest) return;
	oldest[1].unwatch();
	runs.delete(oldest[0]);
}

interface StepPayload {
	readonly id: string;
	readonly status?: string;
	readonly startedAt?: number;
	readonly endedAt?: number;
	readonly suspendPayload?: unknown;
	readonly output?: unknown;
	readonly error?: unknown;
	readonly completedCount?: number;
	readonly totalCount?: number;
}

class RecordedRun {
	readonly workflowId: string;
	readonly unwatch: () => void;
	readonly #chat: ChatOptions;
	readonly #options: AdapterOptions;
	readonly #state: RunState;

	constructor(run: MastraRun, chat: ChatOptions, options: AdapterOptions) {
		this.#chat = chat;
		this.#options = options;
		this.workflowId = run.workflowId;
		const workflow = options.workflow ?? run.workflowId;
		this.#state = new RunState({
			id: uuidFor("mastra", run.runId),
			workflowId: uuidFor("workflow", workflow),
			workflowName: workflow,
			externalId: run.runId,
			...(chat.messageId !== undefined && { messageId: chat.messageId }),
		});
		this.unwatch = run.watch(({ type, payload }) => this.#tell(() => this.#read(type, payload as StepPayload)));
	}

	get ended(): boolean {
		return this.#state.ended;
	}

	start(): void {
		this.#tell(() => this.#state.start(Date.now()));
	}

	finish(result: { status: string; result?: unknown; error?: unknown }): void {
		const now = Date.now();
		this.#tell(() => {
			if (result.status === "success")
				this.#state.end("completed", now, toOutput(result.result, this.#options.outputs));
			else if (result.status === "canceled") this.#state.end("cancelled", now);
			else if (WAITS.has(result.status)) this.#state.act(now, "Suspended", true);
			else this.#state.end("failed", now, toError(result.error ?? `Ended as ${result.status}`));
		});
	}

	#read(type: string, step: StepPayload): void {
		const at = step?.startedAt ?? Date.now();
		if (type === "workflow-step-start") {
			// A run that is resumed, maybe in another process, goes on without `onStart`.
			this.#state.start(at);
			this.#start(step, at, { activity: undefined });
		} else if (type === "workflow-step-waiting") this.#start(step, at, act("Waits", false));
		else if (type === "workflow-step-suspended")
			this.#start(step, at, act(toMessage(step.suspendPayload, "Suspended"), true));
		else if (type === "workflow-step-progress") {
			const { completedCount = 0, totalCount = 0 } = step;
			const progress = totalCount > 0 ? { progress: completedCount / totalCount } : {};
			this.#start(step, at, act(`${completedCount} of ${totalCount}`, false, progress));
		} else if (type === "workflow-step-result") this.#end(step);
	}

	#start(step: StepPayload, at: number, details: object): void {
		const id = this.#idOf(step.id, true);
		const waiting = this.#state.step(id)?.activity?.waiting;
		const resumed = waiting && "activity" in details && !details.activity ? act("Resumed", false) : {};
		this.#state.startStep(id, at, { ...naming(this.#state, step.id), ...details, ...resumed });
	}

	#end(step: StepPayload): void {
		const id = this.#idOf(step.id, false);
		const at = step.endedAt ?? Date.now();
		const details = naming(this.#state, step.id);
		if (step.status === "failed") this.#state.endStep(id, "failed", at, { ...details, ...toError(step.error) });
		else if (step.status === "canceled") this.#state.endStep(id, "cancelled", at, details);
		else this.#state.endStep(id, "completed", at, { ...details, ...toOutput(step.output, this.#options.outputs) });
	}

	/** A step that starts again after it has ended is in a loop: its next occurrence. */
	#idOf(name: string, starts: boolean): string {
		const last = this.#state.occurrences(name);
		const open = last > 0 && this.#state.step(idOf(name, last))?.status === "running";
		return idOf(name, last === 0 || (starts && !open) ? this.#state.occur(name) : last);
	}

	#tell(change: () => void): void {
		quietly(change);
		send(this.#options.recorder, this.#chat, this.#state);
	}
}

const WAITS = new Set(["suspended", "paused", "waiting"]);

const idOf = (name: string, occurrence: number) => `${name}-${occurrence}`;

/** Steps of a workflow inside another have its id before theirs: `inner.fetch`. */
function naming(state: RunState, id: string): { name: string; parentId?: string } {
	const dot = id.lastIndexOf(".");
	const outer = dot > 0 ? id.slice(0, dot) : "";
	const parent = outer && state.step(idOf(outer, state.occurrences(outer)));
	return parent ? { name: id.slice(dot + 1), parentId: parent.id } : { name: id };
}

const act = (message: string, waiting: boolean, progress: { progress?: number } = {}) => ({
	activity: { at: toTimestamp(Date.now()), message, ...(waiting && { waiting }), ...progress },
});
