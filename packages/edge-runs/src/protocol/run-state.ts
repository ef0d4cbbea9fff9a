import type { WorkflowRunReport, WorkflowRunStatus, WorkflowRunStepReport } from "./types.ts";
import { uuidFor } from "./uuid.ts";

/*
 * What an adapter, or the Worker's AG-UI route, has read so far of one run of an engine. It takes what happened and
 * gives reports that hold only what changed. Pure: no I/O, no clock; every moment is passed in, in ms since 1970.
 */

type Report = WorkflowRunReport & { id: string };
type Ended = Extract<WorkflowRunStatus, "completed" | "failed" | "cancelled">;

/** What does not change during a run. `id` and `workflowId` are UUIDs. */
export type RunHead = Pick<Report, "id" | "workflowId" | "workflowName" | "externalId" | "messageId" | "parentRunId">;

/** What may be said of an end. */
export type EndDetails = Pick<WorkflowRunStepReport, "error" | "output">;

/** What may be said of a step when it starts. */
export type StepDetails = Pick<WorkflowRunStepReport, "name" | "parentId" | "attempt" | "activity">;

/** The longest id that the service takes. */
const MAX_ID = 200;

/** A step's id that the service takes, from one of any length: a longer one keeps its start, and gets a digest. */
export function stepId(id: string): string {
	return id.length <= MAX_ID ? id : `${id.slice(0, MAX_ID - 40)}~${uuidFor("step", id)}`;
}

/** ISO 8601, UTC, milliseconds. */
export const toTimestamp = (at: number) => new Date(at).toISOString();

export class RunState {
	readonly head: RunHead;
	#attempt = 1;
	#status: WorkflowRunStatus = "pending";
	#startedAt: string | null = null;
	#completedAt: string | null = null;
	#details: EndDetails = {};
	readonly #totals: Record<string, number> = {};
	#activity: WorkflowRunReport["activity"];
	readonly #part: boolean;
	readonly #steps = new Map<string, WorkflowRunStepReport>();
	/** How often each name was given to a step. */
	readonly #counts = new Map<string, number>();
	readonly #changed = new Set<string>();
	readonly #restored = new Map<string, string[]>();
	#runChanged = false;

	/** @param part it is told only a part of the run: that it runs, but neither its start nor its steps' positions */
	constructor(head: RunHead, { part = false } = {}) {
		this.head = head;
		this.#part = part;
		if (part) this.#status = "running";
	}

	get ended(): boolean {
		return isEnded(this.#status);
	}

	/** The steps that have not ended, in the order of their start. */
	get open(): WorkflowRunStepReport[] {
		return [...this.#steps.values()].filter(({ status }) => !isEnded(status));
	}

	step(id: string): Readonly<WorkflowRunStepReport> | undefined {
		return this.#steps.get(stepId(id));
	}

	/** The next occurrence of a name, from 1. */
	occur(name: string): number {
		const count = this.occurrences(name) + 1;
		this.#counts.set(name, count);
		return count;
	}

	/** How often a name has occurred. */
	occurrences(name: string): number {
		return this.#counts.get(name) ?? 0;
	}

	/** Names count from 1 again: the same events are told again, from the start. */
	recount(): void {
		this.#counts.clear();
	}

	/** The run is known, and has not started. */
	queue(): void {
		this.#runChanged = true;
	}

	/** The run starts, or goes on. A higher attempt opens a run that had ended. */
	start(at: number, attempt = 1): void {
		if (attempt > this.#attempt) {
			this.#attempt = attempt;
			this.#completedAt = null;
			this.#details = {};
			this.#status = "running";
		}
		if (!this.ended) this.#status = "running";
		this.#startedAt ??= toTimestamp(at);
		this.#runChanged = true;
	}

	/** What the run does now, or waits for. */
	act(at: number, message: string, waiting?: boolean): void {
		this.#activity = { at: toTimestamp(at), message, ...(waiting && { waiting }) };
		this.#runChanged = true;
	}

	/** Adds to the run's totals, such as tokens. What is no number is passed over. */
	add(amounts: Readonly<Record<string, unknown>>): void {
		for (const [name, amount] of Object.entries(amounts)) {
			if (typeof amount !== "number" || !Number.isFinite(amount)) continue;
			this.#totals[name] = (this.#totals[name] ?? 0) + amount;
			this.#runChanged = true;
		}
	}

	/** A step starts, or goes on; `attempt` from 1. */
	startStep(id: string, at: number, details: StepDetails = {}): void {
		const before = this.step(id);
		const again = (details.attempt ?? 1) > (before?.attempt ?? 1);
		if (before && isEnded(before.status) && !again) return;
		this.#set(id, {
			...before,
			...details,
			status: "running",
			startedAt: before?.startedAt ?? toTimestamp(at),
			completedAt: null,
			error: undefined,
			output: undefined,
		});
	}

	/** A step ends; one that never started, too. */
	endStep(id: string, status: Ended, at: number, details: EndDetails & StepDetails = {}): void {
		const before = this.step(id);
		const startedAt = before?.startedAt ?? null;
		this.#set(id, {
			...before,
			...details,
			status,
			startedAt,
			completedAt: notBefore(startedAt, toTimestamp(at)),
			activity: undefined,
		});
	}

	/** The run ends. Steps whose end was not told end with it, in the same way. */
	end(status: Ended, at: number, details: EndDetails = {}): void {
		this.closeSteps(status, at);
		this.endRun(status, at, details);
	}

	/** Ends the steps that are open. */
	closeSteps(status: Ended, at: number): void {
		for (const { id } of this.open) this.endStep(id, status, at);
	}

	/** The run ends, and more may be told of its steps. */
	endRun(status: Ended, at: number, details: EndDetails = {}): void {
		this.#status = status;
		this.#completedAt = notBefore(this.#startedAt, toTimestamp(at));
		this.#details = details;
		this.#activity = undefined;
		this.#runChanged = true;
	}

	/**
	 * Takes over what is recorded of the run already, so that a later part of its events goes on from there.
	 * @param nameOf the name that `occur` counted for a step's id; null: none
	 */
	restore(run: WorkflowRunReport | null, nameOf: (id: string) => string | null): void {
		// An end that was only assumed is none: events still come.
		this.#status = run && !run.assumed ? run.status : "running";
		this.#startedAt = run?.startedAt ?? null;
		this.#completedAt = run?.assumed ? null : (run?.completedAt ?? null);
		this.#attempt = run?.attempt ?? 1;
		for (const step of run?.steps ?? []) {
			this.#steps.set(step.id, step);
			const name = nameOf(step.id);
			if (name === null) continue;
			this.occur(name);
			this.#restored.set(name, this.#restored.get(name) ?? []);
			this.#restored.get(name)?.push(step.id);
		}
	}

	/** The ids of a name's steps that were recorded before this part of the events, not by it: the first occurrences. */
	restored(name: string): readonly string[] {
		return this.#restored.get(name) ?? [];
	}

	/** What changed since the last call; null: nothing. */
	take(): Report | null {
		if (!this.#runChanged && this.#changed.size === 0) return null;
		const steps = [...this.#changed].flatMap((id) => this.#steps.get(id) ?? []);
		// Outputs can be large, and are said once.
		for (const { output, ...step } of steps) if (output !== undefined) this.#steps.set(step.id, step);
		this.#changed.clear();
		this.#runChanged = false;
		return withoutUndefined({
			...this.head,
			status: this.#status,
			startedAt: this.#startedAt,
			completedAt: this.#completedAt,
			attempt: this.#attempt === 1 ? undefined : this.#attempt,
			activity: this.#activity,
			...this.#details,
			metrics: Object.keys(this.#totals).length > 0 ? { ...this.#totals } : undefined,
			// The first attempt is what is meant where none is said.
			steps: steps.map((step) => withoutUndefined({ ...step, attempt: step.attempt === 1 ? undefined : step.attempt })),
		});
	}

	#set(id: string, step: Omit<WorkflowRunStepReport, "id">): void {
		const known = stepId(id);
		const position = step.position ?? (this.#part ? undefined : this.#steps.size + 1);
		this.#steps.set(known, { ...step, id: known, position });
		this.#changed.add(known);
	}
}

const isEnded = (status: WorkflowRunStatus) => status !== "pending" && status !== "running";

/** Clocks disagree, and the service refuses an end that lies before its start. */
const notBefore = (start: string | null, end: string) => (start !== null && end < start ? start : end);

function withoutUndefined<T extends object>(object: T): T {
	return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}
