import { app } from "./app";
import type { Env } from "./env";
import { pruneRuns } from "./retention/prune";
import { scopeOf } from "./scope";

export { WorkflowRunRecorder } from "./recorder/rpc";

export default {
	fetch: app.fetch,
	async scheduled({ scheduledTime }, env, context) {
		await pruneRuns(scopeOf(env, context), scheduledTime);
	},
} satisfies ExportedHandler<Env>;
