/** `npm run bench`: see README.md beside this file. */
import { command } from "../scripts/command-line.ts";
import { print } from "./report.ts";
import { type Options, run } from "./run.ts";

const HELP = `Measures our reads and three peers' side by side, in workerd, for about ten minutes:

  npm run bench

  --quick   under a minute: fewer sizes, shorter rounds
  --json    for programs
  --help    says this`;

const OPTIONS = { quick: { type: "boolean", default: false }, json: { type: "boolean", default: false } } as const;

const STEPS = 5;
const size = (runs: number, steps = STEPS) => ({ runs, steps });

/** In a production's range: KV from its nearest cache to its central store, D1 from a replica next door to another continent. */
const KV_MILLISECONDS = [5, 20, 100];
const D1_MILLISECONDS = [10, 30, 80];

const full: Options = {
	sizes: [size(1, 1), size(10), size(100), size(1_000), size(5_000)],
	plan: { rounds: 7, stretchMilliseconds: 1_000, connections: 8 },
	networkSize: size(100),
	delays: KV_MILLISECONDS.flatMap((kv) => D1_MILLISECONDS.map((d1) => ({ kv, d1 }))),
	repeats: 9,
};
const quick: Options = {
	...full,
	sizes: [size(1, 1), size(100), size(1_000)],
	plan: { rounds: 2, stretchMilliseconds: 150, connections: 8 },
	delays: KV_MILLISECONDS.map((kv, i) => ({ kv, d1: D1_MILLISECONDS[i] as number })),
	repeats: 3,
};

await command(HELP, OPTIONS, async ({ values }) => {
	const report = await run(values.quick ? quick : full);
	console.log(values.json ? JSON.stringify(report, null, "\t") : print(report));
});
