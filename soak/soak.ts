/** `npm run soak`: the deployed bundle in workerd, with all that happens to it in a month at once. */
import { quantile } from "../lab/statistics.ts";
import { table } from "../lab/table.ts";
import { command, wholeNumber } from "../scripts/command-line.ts";
import type { Soaked } from "./run.ts";
import type { Memory } from "./service.ts";

// Secrets are the soak's own, not those of .dev.vars, which wrangler would mention.
process.env["WRANGLER_LOG"] ??= "warn";

const HELP = `Loads the deployed bundle in workerd with readers, pollers, streams and recorders at once, while chats and users are
erased, runs come of age, engines fall silent, and workerd is killed. At the end every chat must hold what was reported of
it, no more and no less, every stream must have told it once, and nothing of what was erased or pruned may be there: it
exits with 1 if anything was lost, wrong, late, told twice, or came back:

  npm run soak

  --seconds N   120 unless given
  --rest N      how long each rests between two requests, at most, in milliseconds: 20 unless given
  --quick       20 seconds
  --help        says this`;

const OPTIONS = {
	seconds: { type: "string", default: "120" },
	rest: { type: "string", default: "20" },
	quick: { type: "boolean", default: false },
} as const;

const QUICK_SECONDS = 20;
/** workerd is killed once, or once in this time. */
const RESTART_SECONDS = 600;

const ACTORS = { readers: 6, pollers: 6, streams: 20, recorders: 6, silent: 2, strangers: 2, redrivers: 1, erasers: 2 };
const SCHEDULE = { users: 10, chatsEach: 2, cronSeconds: 4 };

await command(HELP, OPTIONS, async ({ values }) => {
	const seconds = values.quick ? QUICK_SECONDS : wholeNumber("--seconds", values.seconds);
	const restMilliseconds = wholeNumber("--rest", values.rest);
	const restarts = Math.max(1, Math.floor(seconds / RESTART_SECONDS) - 1);
	// In a long soak chats grow large.
	const eraseSeconds = Math.min(4, Math.ceil(seconds / 60));
	const cast = Object.entries(ACTORS).map(([kind, count]) => `${count} ${kind}`);
	console.log(`Soaking for ${seconds} s: ${cast.join(", ")}, 20 chats of 10 users`);
	const { soak } = await import("./run.ts");
	const soaked = await soak({ ...ACTORS, ...SCHEDULE, eraseSeconds, seconds, restMilliseconds, restarts });
	console.log(describe(soaked));
	return soaked.tally.wrong > 0 ? 1 : 0;
});

function describe({ tally, memory }: Soaked): string {
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
	const [{ at: start }] = memory as [Memory];
	const sizes = memory.map(({ at, ours, stores, resident }) => [
		((at - start) / 60_000).toFixed(2),
		...[ours, stores, resident].map((megabytes) => megabytes.toFixed(0)),
	]);
	return [
		table(["", "requests", "p50 ms", "p99 ms", "answers by status"], rows),
		table(
			["", "times"],
			[...tally.done].map(([what, times]) => [what, String(times)]),
		),
		"Memory in MB: heap of the Worker, heap of Miniflare's stores, and the process of workerd with both",
		table(["minute", "Worker", "stores", "process"], sizes),
		table(
			["", "times"],
			[...tally.faults].map(([fault, times]) => [fault, String(times)]),
		),
		...tally.examples.map((each) => `  ${each}`),
	].join("\n");
}
