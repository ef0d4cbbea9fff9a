import type { WorkflowRun } from "../protocol/types.ts";
import type { RunsChange } from "./runs.ts";
import type { LineState } from "./state.ts";

export interface FollowOptions {
	/** Ends it, as `close()` does. */
	signal?: AbortSignal | undefined;
	/** Called with each change, once it is whole; the first runs are one. */
	onChange?: ((change: RunsChange) => void) | undefined;
	/** Called with each state of the line; the first is `connecting`, at once. */
	onState?: ((state: LineState) => void) | undefined;
}

/** A chat's runs, kept up to date until it is closed or refused for good. */
export interface WorkflowRunsFollower {
	/** In the list's order: the same array until something changes, and each run the same object until it changes. */
	readonly runs: readonly WorkflowRun[];
	/** Whether any state of the chat has come: until then `runs` is empty and means nothing. */
	readonly isLoaded: boolean;
	readonly state: LineState;
	get(runId: string): WorkflowRun | undefined;
	/** Calls `listener` after each change of `runs` or `state`, until what it returns is called. */
	subscribe(listener: () => void): () => void;
	close(): void;
}
