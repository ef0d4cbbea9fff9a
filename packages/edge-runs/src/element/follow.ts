import { EdgeRunsError } from "../client/errors.ts";
import { followBy } from "../client/follow-by.ts";
import type { WorkflowRunsFollower } from "../client/follower.ts";
import { connectTo, type ServiceOptions } from "../client/service.ts";
import type { RunsSource } from "../client/source.ts";
import { refusedBy } from "../client/state.ts";

/** A chat's runs from the service. A wrong address or id is a state, as a refusal is: an element has nobody to throw to. */
export function followChat(src: string, chat: string, options: ServiceOptions): WorkflowRunsFollower | RunsSource {
	try {
		return followBy(connectTo(src, options), options)(chat);
	} catch (thrown) {
		const message = thrown instanceof Error ? thrown.message : String(thrown);
		console.error(`<workflow-runs>: ${message}`);
		const error = thrown instanceof EdgeRunsError ? thrown : new EdgeRunsError("INVALID_PARAMETER", message, 400);
		return { runs: [], isLoaded: false, state: { status: "ended", ...refusedBy(error) }, subscribe: () => () => {} };
	}
}
