/**
 * `node bench/profile.ts`: where our Worker's own processor time goes, by V8's profiler in its isolate alone. The
 * stores, which Miniflare plays in isolates of their own, are not in it.
 */
import { command } from "../scripts/command-line.ts";
import { measureOwn } from "./own.ts";
import { setStage } from "./stage.ts";

const HELP = `Prints the functions in which a Worker's own processor time is spent, in milliseconds a request:

  node bench/profile.ts

  --subjects a,b    which; "tutorial,first read,unchanged,fresh,304" unless given
  --runs 10,1000    chats of how many runs
  --requests 300    how many requests of a small chat
  --help            says this`;

const OPTIONS = {
	subjects: { type: "string", default: "tutorial,first read,unchanged,fresh,304" },
	runs: { type: "string", default: "10,1000" },
	requests: { type: "string", default: "300" },
} as const;

await command(HELP, OPTIONS, async ({ values }) => {
	const sizes = values.runs.split(",").map((runs) => ({ runs: Number(runs), steps: 5 }));
	const stage = await setStage(sizes, sizes, true);
	try {
		const subjects = values.subjects.split(",");
		for (const own of await measureOwn(stage, { sizes, subjects, requests: Number(values.requests) })) {
			console.log(`\n${own.subject}, ${own.size}: ${own.milliseconds.toFixed(3)} ms a request`);
			for (const { name, milliseconds } of own.functions) console.log(`  ${milliseconds.toFixed(4)}  ${name}`);
		}
	} finally {
		await stage.dispose();
	}
});
