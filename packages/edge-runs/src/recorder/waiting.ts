import { mergeRuns, mergeStep } from "../protocol/merge.ts";
import { isEnded } from "../protocol/state.ts";
import type { WorkflowRun, WorkflowRunReport, WorkflowRunStep } from "../protocol/types.ts";
import type { CleanReport } from "./clean-report.ts";

export type IdentifiedReport = WorkflowRunReport & { id: string };

/** What is not sent yet of one run: the merge of its reports, with the steps that they named. */
export class WaitingRun {
	#head: WorkflowRun;
	readonly #steps = new Map<string, { step: WorkflowRunStep; weight: number }>();
	#headWeight: number;
	#weight: number;
	/** How many parts of it are still to be sent, while it is being sent. 0: it waits. */
	partsLeft = 0;

	constructor(report: CleanReport) {
		this.#head = report.head;
		this.#headWeight = report.weight;
		this.#weight = report.weight;
		this.#addSteps(report.steps);
	}

	get id(): string {
		return this.#head.id;
	}

	get chatId(): string {
		return this.#head.chatId;
	}

	get workflowId(): string {
		return this.#head.workflowId;
	}

	get hasEnded(): boolean {
		return isEnded(this.#head.status);
	}

	/** About how many bytes it takes. */
	get weight(): number {
		return this.#weight;
	}

	add({ head, weight, steps }: CleanReport): void {
		this.#addHead(head, weight);
		this.#addSteps(steps);
	}

	/** Takes over what another one of the same run holds. */
	absorb(other: WaitingRun): void {
		this.#addHead(other.#head, other.#headWeight);
		this.#addSteps(other.#steps.values());
	}

	#addHead(head: WorkflowRun, weight: number): void {
		this.#head = mergeRuns(this.#head, head);
		this.#weight += Math.max(weight - this.#headWeight, 0);
		this.#headWeight = Math.max(weight, this.#headWeight);
	}

	#addSteps(steps: Iterable<{ readonly step: WorkflowRunStep; readonly weight: number }>): void {
		for (const { step, weight } of steps) {
			const before = this.#steps.get(step.id);
			const after = Math.max(weight, before?.weight ?? 0);
			this.#weight += after - (before?.weight ?? 0);
			this.#steps.set(step.id, { step: before ? mergeStep(before.step, step) : step, weight: after });
		}
	}

	toReport(): IdentifiedReport {
		const { chatId: _, ...head } = this.#head;
		return { ...head, steps: Array.from(this.#steps.values(), ({ step }) => step) };
	}
}
