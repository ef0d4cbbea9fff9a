import type { WorkflowRun } from "../protocol/types.ts";
import type { FollowOptions, WorkflowRunsFollower } from "./follower.ts";
import type { LineState } from "./state.ts";

export interface WatchOptions {
	/** Ends it. */
	signal?: AbortSignal | undefined;
	/** Called with each state of the connection. The first one is `connecting`, at once. */
	onState?: ((state: LineState) => void) | undefined;
}

/**
 * A chat's runs, in the list's order: at once, and again whenever one changes. A slow caller gets only the newest. It ends
 * with the caller's `signal`, or by an EdgeRunsError if the service refuses for good.
 * @param start begins to follow; it is called with the first `next()`
 */
export async function* watch(
	start: (options: FollowOptions) => WorkflowRunsFollower,
	{ signal, onState }: WatchOptions,
): AsyncGenerator<WorkflowRun[], void, undefined> {
	let isNew = false;
	let wake = () => {};
	const follower = start({
		signal,
		onState(state) {
			wake();
			onState?.(state);
		},
		onChange() {
			isNew = true;
			wake();
		},
	});
	try {
		for (;;) {
			if (isNew) {
				isNew = false;
				yield [...follower.runs];
			} else if (follower.state.status === "ended") {
				if (follower.state.error) throw follower.state.error;
				return;
			} else {
				await new Promise<void>((resolve) => {
					wake = resolve;
				});
			}
		}
	} finally {
		follower.close();
	}
}
