import { createRequire } from "node:module";
import { type ChatSize, sizeName } from "./data.ts";
import { judge } from "./goals.ts";
import { measure, type Plan } from "./measure.ts";
import { type Delays, observe } from "./observe.ts";
import { describeMachine, type Report } from "./report.ts";
import { setStage } from "./stage.ts";

export interface Options {
	readonly sizes: readonly ChatSize[];
	readonly plan: Plan;
	/** The chat that the modelled network is tried on. */
	readonly networkSize: ChatSize;
	readonly delays: readonly Delays[];
	/** How often each delay is tried. */
	readonly repeats: number;
}

/** The whole benchmark: calls and modelled delays first, then the timed rounds. */
export async function run({ sizes, plan, networkSize, delays, repeats }: Options): Promise<Report> {
	const stage = await setStage(sizes);
	try {
		const { calls, times } = await observe(stage, { size: networkSize, delays, repeats });
		const { rows, memory } = await measure(stage, plan);
		return {
			machine: describeMachine(),
			versions: versions(),
			bundle: { gzippedBytes: stage.bundles.ours.gzippedBytes },
			plan,
			rows,
			calls,
			network: { size: sizeName(networkSize), times },
			memory,
			goals: judge(rows, times),
		};
	} finally {
		await stage.dispose();
	}
}

function versions(): Record<string, string> {
	const require = createRequire(import.meta.url);
	const of = (name: string) => (require(`${name}/package.json`) as { version: string }).version;
	return { node: process.versions.node, workerd: of("workerd"), miniflare: of("miniflare"), wrangler: of("wrangler") };
}
