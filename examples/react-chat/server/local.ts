import { fileURLToPath } from "node:url";
// wrangler is in the node_modules of edge-runs itself. A second one would bring a second workerd, of 300 MB.
import { getPlatformProxy } from "wrangler";
import type { Sessions } from "./auth.ts";

/** The KV namespace of sessions on this machine: that of edge-runs' `npm run dev`. A Worker has it as `env.SESSIONS`. */
export async function openSessions(): Promise<{ sessions: Sessions; close: () => Promise<void> }> {
	const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));
	const { env, dispose } = await getPlatformProxy<{ SESSIONS: Sessions }>({
		configPath: here("../wrangler.jsonc"),
		persist: { path: `${process.env["EDGE_RUNS_STATE"] ?? here("../../../.wrangler/state")}/v3` },
	});
	return { sessions: env.SESSIONS, close: dispose };
}
