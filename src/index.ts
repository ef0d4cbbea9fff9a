import { app } from "./app.ts";
import type { Env } from "./env.ts";
import { scopeOf } from "./scope.ts";
import { pruneRuns } from "./workflow-runs/prune.ts";
import { purgeChats } from "./workflow-runs/purge.ts";

export { ChatHub } from "./live/hub.ts";
export { WorkflowRunRecorder } from "./rpc.ts";

export default {
	fetch: app.fetch,
	async scheduled({ scheduledTime }, env, context) {
		const scope = scopeOf(env, context);
		await pruneRuns(scope, scheduledTime);
		await purgeChats(scope, scheduledTime);
	},
} satisfies ExportedHandler<Env>;
