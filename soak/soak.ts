/** `npm run soak`: the deployed bundle in workerd, with readers, pollers, streams and recorders at once. */
import { quantile } from "../lab/statistics.ts";
import { table } from "../lab/table.ts";
import { command, wholeNumber } from "../scripts/command-line.ts";
import { type Memory, type Soaked, soak } from "./run.ts";

// Secrets are the soak's own, not those of .dev.vars, which wrangler would mention.
process.env["WRANGLER_LOG"] ??= "warn";

const HELP = `Loads the deployed bundle in workerd with readers, pollers, streams and recorders at once. At the end every chat must
hold what was reported of it, no more and no less, and every stream must have told it once: it exits with 1 if anything
was lost, wrong, late, or told twice:

  npm run soak

  --seconds N   120 unless given
  --quick       20 seconds
  --help        says this`;

const OPTIONS = {
	seconds: { type: "string", default: "120" },
	quick: { type: "boolean", default: false },
} as const;

const QUICK_SECONDS = 20;
const MAX_SHOWN = 20;

await command(HELP, OPTIONS, async ({ values }) => {
	const seconds = values.quick ? QUICK_SECONDS : wholeNumber("--seconds", values.seconds);
	const plan = { seconds, chats: 20, readers: 6, pollers: 6, streams: 20, recorders: 6, strangers: 2 };
	const { seconds: _, ...actors } = plan;
	const cast = Object.entries(actors).map(([kind, count]) => `${count} ${kind}`);
	console.log(`Soaking for ${seconds} s: ${cast.join(", ")}`);
	const soaked = await soak(plan);
	console.log(describe(soaked));
	return soaked.tally.wrong.length > 0 ? 1 : 0;
});

function describe({ tally, runs, start, end }: Soaked): string {
	const rows = [...tally.latencies].map(([kind, latencies]) => {
		const ascending = latencies.toSorted((a, b) => a - b);
		const statuses = [...(tally.statuses.get(kind) ?? [])].sort(([a], [b]) => a - b);
		return [
			kind,
			String(latencies.length),
			quantile(ascending, 0.5).toFixed(1),
			quantile(ascending, 0.99).toFixed(1),
			statuses.map(([status, count]) => `${status}: ${count}`).join(", "),
		];
	});
	const { wrong } = tally;
	const grown = (what: string, of: (memory: Memory) => number) =>
		`${what}: ${of(start).toFixed(0)} MB at the start, ${of(end).toFixed(0)} MB at the end`;
	return [
		table(["", "requests", "p50 ms", "p99 ms", "answers by status"], rows),
		`Events told by streams: ${tally.events}`,
		grown("Heap of the Worker", ({ heaps }) => heaps.ours),
		grown("Heap of Miniflare's stores", ({ heaps }) => heaps.stores),
		grown("Memory of workerd with all of them", ({ resident }) => resident),
		`Runs reported: ${runs}; lost, wrong, late, doubled or stepped back, in reads and events: ${wrong.length}`,
		...wrong.slice(0, MAX_SHOWN).map((each) => `  ${each.slice(0, 1_000)}`),
	].join("\n");
}
