import { createRequire } from "node:module";
import { type ChatSize, sizeName } from "../lab/data.ts";
import { judge } from "./goals.ts";
import { costAll } from "./live/cost.ts";
import { followAll, type LivePlan } from "./live/follow.ts";
import { judgeLive } from "./live/goals.ts";
import { type WritePlan, writeAll } from "./live/writes.ts";
import { measure, type Plan } from "./measure.ts";
import { type Delays, observe } from "./observe.ts";
import { measureOwn, type OwnPlan } from "./own.ts";
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
	readonly own: OwnPlan;
	readonly live: LivePlan;
	/** The chat of which it is counted what streams ask of D1. */
	readonly costSize: ChatSize;
	readonly writes: WritePlan;
}

/** The parts of the benchmark. */
export const PARTS = ["reads", "own", "live", "report"] as const;
export type Part = (typeof PARTS)[number];

/** The whole benchmark, or some parts of it: calls and modelled delays first, then the timed rounds. */
export async function run(options: Options, parts: readonly Part[] = PARTS): Promise<Report> {
	const { plan, networkSize, delays, repeats } = options;
	const sizes = [
		...options.sizes,
		...options.own.sizes,
		options.costSize,
		...options.live.scenes.map(({ size }) => size),
	];
	const stage = await setStage(options.sizes, [...new Map(sizes.map((size) => [sizeName(size), size])).values()]);
	const only = async <T>(part: Part, work: () => Promise<T>, otherwise: T) =>
		parts.includes(part) ? work() : otherwise;
	try {
		const observed = { size: networkSize, delays, repeats };
		const { calls, times } = await only("reads", () => observe(stage, observed), { calls: [], times: [] });
		const { rows, memory } = await only("reads", () => measure(stage, plan), { rows: [], memory: [] });
		const own = await only("own", () => measureOwn(stage, options.own), []);
		const writes = await only("report", () => writeAll(stage, options.writes), []);
		const costs = await only("live", () => costAll(stage, options.costSize, options.live.idleMilliseconds * 2), []);
		const live = await only("live", () => followAll(stage, options.live), []);
		return {
			machine: describeMachine(),
			versions: versions(),
			bundle: { gzippedBytes: stage.bundles.ours.gzippedBytes },
			plan,
			rows,
			calls,
			network: { size: sizeName(networkSize), times },
			memory,
			own,
			live,
			costs,
			writes,
			goals: [...judge(rows, times, own), ...judgeLive(live, costs, writes)],
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
