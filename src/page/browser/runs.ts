import { compareRuns } from "#protocol/order.ts";
import type { Status, WorkflowRun } from "../../workflow-runs/schemas.ts";

/** A run that is new, or whose status has changed. */
export interface Change {
	readonly run: WorkflowRun;
	readonly before: Status | null;
}

/** The chat's runs that the page knows. A run that did not change stays the same object. */
export class Runs {
	#byId = new Map<string, WorkflowRun>();
	#ordered: readonly WorkflowRun[] | null = null;

	/** In the list's order. */
	get ordered(): readonly WorkflowRun[] {
		this.#ordered ??= [...this.#byId.values()].sort(compareRuns);
		return this.#ordered;
	}

	/** Replaces all runs by these. */
	replace(runs: readonly WorkflowRun[]): Change[] {
		const before = this.#byId;
		this.#byId = new Map();
		this.#ordered = null;
		return runs.flatMap((run) => this.#put(run, before.get(run.id)));
	}

	/** Takes a run that is new or changed. */
	put(run: WorkflowRun): Change[] {
		this.#ordered = null;
		return this.#put(run, this.#byId.get(run.id));
	}

	#put(run: WorkflowRun, before: WorkflowRun | undefined): Change[] {
		const isSame = before !== undefined && JSON.stringify(before) === JSON.stringify(run);
		this.#byId.set(run.id, isSame ? before : run);
		return before?.status === run.status ? [] : [{ run, before: before?.status ?? null }];
	}
}
