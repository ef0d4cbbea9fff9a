import type { WorkflowRun } from "../protocol/types.ts";
import type { RunsChange } from "./runs.ts";
import type { LineState } from "./state.ts";

export interface FollowOptions {
	/** Ends it, as `close()` does. */
	signal?: AbortSignal | undefined;
	/** Called with each complete change. The first runs are the first change. */
	onChange?: ((change: RunsChange) => void) | undefined;
	/** Called with each state of the connection. The first one is `connecting`, at once. */
	onState?: ((state: LineState) => void) | undefined;
}

/** A chat's runs, kept up to date until it is closed or refused for good. */
export interface WorkflowRunsFollower {
	/** In the list's order: the same array until something changes, and each run the same object until it changes. */
	readonly runs: readonly WorkflowRun[];
	/** Whether the first runs have come. Until then `runs` is empty and means nothing. */
	readonly isLoaded: boolean;
	readonly state: LineState;
	get(runId: string): WorkflowRun | undefined;
	/** Calls `listener` after each change of `runs` or `state`. Call the returned function to stop it. */
	subscribe(listener: () => void): () => void;
	close(): void;
}
