import { compareRuns } from "../protocol/order.ts";
import type { WorkflowRun } from "../protocol/types.ts";

/** What is new since the change before. */
export interface RunsChange {
	/** All of the chat's runs, in the list's order. */
	readonly runs: readonly WorkflowRun[];
	/** Each run that is new or changed; `before` is undefined where it is new. */
	readonly changed: readonly { readonly run: WorkflowRun; readonly before: WorkflowRun | undefined }[];
	/** Each run that is there no longer. */
	readonly gone: readonly WorkflowRun[];
	/** Whether these are the first runs that came. */
	readonly isFirst: boolean;
}

/**
 * The runs that a stream has told of. Its events are staged until one has an id: without one there is more to come of
 * the same change, and half a change is not shown. A run that did not change stays the same object.
 */
export class RunStore {
	/** In the list's order; the same array until something changes. */
	ordered: readonly WorkflowRun[] = [];
	isLoaded = false;
	#byId: ReadonlyMap<string, WorkflowRun> = new Map();
	#staged = new Map<string, WorkflowRun>();
	#isSnapshot = false;

	get(runId: string): WorkflowRun | undefined {
		return this.#byId.get(runId.toLowerCase());
	}

	/** @throws {SyntaxError | TypeError} if the data is not an event's */
	stage(event: "snapshot" | "run", data: string): void {
		const told = JSON.parse(data) as { workflowRuns: WorkflowRun[] } & WorkflowRun;
		if (event === "snapshot") {
			this.discard();
			this.#isSnapshot = true;
		}
		for (const run of event === "snapshot" ? told.workflowRuns : [told]) {
			if (typeof run.id !== "string") throw new TypeError("A run without an id");
			this.#staged.set(run.id, run);
		}
	}

	/** Drops what is staged: the line was lost within a change, which comes again. */
	discard(): void {
		this.#staged = new Map();
		this.#isSnapshot = false;
	}

	/** Takes what is staged for the state; null where that changes nothing. */
	commit(): RunsChange | null {
		const [before, staged, isSnapshot] = [this.#byId, this.#staged, this.#isSnapshot];
		this.discard();
		const byId = new Map(isSnapshot ? [] : before);
		const changed: { run: WorkflowRun; before: WorkflowRun | undefined }[] = [];
		for (const [id, run] of staged) {
			const known = before.get(id);
			const isSame = known !== undefined && JSON.stringify(known) === JSON.stringify(run);
			byId.set(id, isSame ? known : run);
			if (!isSame) changed.push({ run, before: known });
		}
		const gone = isSnapshot ? [...before.values()].filter(({ id }) => !byId.has(id)) : [];
		const isFirst = !this.isLoaded;
		if (!isFirst && changed.length === 0 && gone.length === 0) return null;
		this.isLoaded = true;
		this.#byId = byId;
		this.ordered = [...byId.values()].sort(compareRuns);
		return { runs: this.ordered, changed, gone, isFirst };
	}
}
