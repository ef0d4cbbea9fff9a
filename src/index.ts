import { app } from "./app.ts";
import type { Env } from "./env.ts";
import { scopeOf } from "./scope.ts";
import { giveUpRuns } from "./workflow-runs/give-up.ts";
import { beginToListen } from "./workflow-runs/heard.ts";
import { pruneRuns } from "./workflow-runs/prune.ts";
import { purgeChats } from "./workflow-runs/purge.ts";
import { wholeAllowance } from "./workflow-runs/sweep.ts";

export { ChatHub } from "./live/hub.ts";
export { WorkflowRunRecorder } from "./rpc.ts";

export default {
	fetch: app.fetch,
	async scheduled({ scheduledTime }, env, context) {
		const scope = scopeOf(env, context);
		await beginToListen(scope, scheduledTime);
		const allowance = wholeAllowance();
		await giveUpRuns(scope, scheduledTime, allowance);
		await pruneRuns(scope, scheduledTime, allowance);
		await purgeChats(scope, scheduledTime);
	},
} satisfies ExportedHandler<Env>;
