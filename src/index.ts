import { app } from "./app.ts";
import type { Env } from "./env.ts";
import { pruneRuns } from "./retention/prune.ts";
import { scopeOf } from "./scope.ts";

export { WorkflowRunRecorder } from "./recorder/rpc.ts";

export default {
	fetch: app.fetch,
	async scheduled({ scheduledTime }, env, context) {
		await pruneRuns(scopeOf(env, context), scheduledTime);
	},
} satisfies ExportedHandler<Env>;
