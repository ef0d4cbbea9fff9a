/** `npm run bench`: see README.md beside this file. */
import { command, Stop } from "../scripts/command-line.ts";
import type { Options } from "./run.ts";

// Keeps wrangler's own lines out of the report.
process.env["WRANGLER_LOG"] ??= "warn";

const HELP = `Measures the service and its peers side by side, in workerd, for about a quarter of an hour:

  npm run bench                   everything
  npm run bench -- reads          reads beside three peers', their calls, a modelled network: about ten minutes
  npm run bench -- own            each Worker's own processor time, by V8's profiler
  npm run bench -- live           streams, beside version 0.1, which polled
  npm run bench -- report         reports, beside version 0.1

  --quick   fewer sizes, shorter rounds
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
	plan: { rounds: 5, stretchMilliseconds: 800, connections: 8 },
	networkSize: size(100),
	delays: KV_MILLISECONDS.flatMap((kv) => D1_MILLISECONDS.map((d1) => ({ kv, d1 }))),
	repeats: 7,
	own: { sizes: [size(10), size(1_000)], requests: 600 },
	live: {
		idleMilliseconds: 4_000,
		busyMilliseconds: 6_000,
		rate: 2,
		scenes: [
			{ size: size(10), streams: 20 },
			{ size: size(10), streams: 200 },
			{ size: size(1_000), streams: 1 },
			{ size: size(1_000), streams: 20 },
			{ size: size(1_000), streams: 100 },
			{ size: size(1_000), streams: 200, idleMilliseconds: 20_000 },
			{ size: size(1_000), streams: 1_000, oursOnly: true },
			{ size: size(5_000), streams: 20 },
			{ size: size(5_000), streams: 200, oursOnly: true },
		],
	},
	costSize: size(1_000),
	writes: { alone: 200, milliseconds: 1_500, rounds: 7, crowd: 200 },
};
const quick: Options = {
	...full,
	sizes: [size(1, 1), size(100), size(1_000)],
	plan: { rounds: 2, stretchMilliseconds: 150, connections: 8 },
	delays: KV_MILLISECONDS.map((kv, i) => ({ kv, d1: D1_MILLISECONDS[i] as number })),
	repeats: 3,
	own: { sizes: [size(10)], requests: 60 },
	live: {
		...full.live,
		idleMilliseconds: 1_000,
		busyMilliseconds: 2_000,
		scenes: [{ size: size(1_000), streams: 20 }],
	},
	writes: { alone: 20, milliseconds: 500, rounds: 1, crowd: 50 },
};

await command(
	HELP,
	OPTIONS,
	async ({ values, positionals }) => {
		const { print } = await import("./report.ts");
		const { PARTS, run } = await import("./run.ts");
		const parts = positionals.length > 0 ? positionals.map((text) => oneOf(PARTS, text)) : PARTS;
		const report = await run(values.quick ? quick : full, parts);
		console.log(values.json ? JSON.stringify(report, null, "\t") : print(report));
	},
	true,
);

function oneOf<Part extends string>(parts: readonly Part[], text: string): Part {
	const part = parts.find((each) => each === text);
	if (!part) throw new Stop(`There is no part "${text}". There are ${parts.join(", ")}.`);
	return part;
}
