import type { WorkflowRun } from "../protocol/types.ts";
import type { LineState } from "./state.ts";

/** Runs that are kept up to date: a follower, or anything else that has them. */
export interface RunsSource {
	/** In the list's order: the same array until something changes. */
	readonly runs: readonly WorkflowRun[];
	/** Whether the first runs have come. */
	readonly isLoaded: boolean;
	readonly state: LineState;
	/** Calls `listener` after each change of `runs` or `state`. Call the returned function to stop it. */
	subscribe(listener: () => void): () => void;
	/** Connects again, where the connection has ended. */
	retry?(): void;
}
