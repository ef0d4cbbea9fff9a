import { app } from "./app.ts";
import type { Env } from "./env.ts";
import { scopeOf } from "./scope.ts";
import { pruneRuns } from "./workflow-runs/prune.ts";

export { ChatHub } from "./live/hub.ts";
export { WorkflowRunRecorder } from "./rpc.ts";

export default {
	fetch: app.fetch,
	async scheduled({ scheduledTime }, env, context) {
		await pruneRuns(scopeOf(env, context), scheduledTime);
	},
} satisfies ExportedHandler<Env>;
