import { app } from "./app.ts";
import type { Env } from "./env.ts";
import { logError } from "./log.ts";
import { scopeOf } from "./scope.ts";
import { giveUpRuns } from "./workflow-runs/give-up.ts";
import { beginToListen } from "./workflow-runs/heard.ts";
import { pruneRuns } from "./workflow-runs/prune.ts";
import { purgeChats } from "./workflow-runs/purge.ts";
import { wholeAllowance } from "./workflow-runs/sweep.ts";

export { ChatHub } from "./live/hub.ts";
export { WorkflowRunRecorder } from "./rpc.ts";

/** What the cron trigger does, in this order. */
const ROUNDS = { listen: beginToListen, "give up": giveUpRuns, retention: pruneRuns, purge: purgeChats };

export default {
	fetch: app.fetch,
	async scheduled({ scheduledTime }, env, context) {
		const scope = scopeOf(env, context);
		const allowance = wholeAllowance();
		const failures: unknown[] = [];
		for (const [doing, round] of Object.entries(ROUNDS)) {
			try {
				await round(scope, scheduledTime, allowance);
			} catch (error) {
				// The others go on: where D1 is full, what only deletes is what makes room.
				logError(scope, { event: "cron", doing }, error);
				failures.push(error);
			}
		}
		// So that Cloudflare counts the round as failed, and says why.
		if (failures.length > 0) throw failures[0];
	},
} satisfies ExportedHandler<Env>;
