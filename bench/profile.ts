/**
 * `node bench/profile.ts`: where our Worker's own processor time goes, by V8's profiler in its isolate alone. The
 * stores, which Miniflare plays in isolates of their own, are not in it.
 *
 * Options: `--subjects a,b` (default: tutorial and ours), `--runs 10,1000`, `--requests 300`, `--top 12` (functions).
 */
import { Agent } from "node:http";
import { parseArgs } from "node:util";
import { sizeName } from "./data.ts";
import { ask } from "./load.ts";
import { ownFunctions, profile } from "./profiler.ts";
import { setStage } from "./stage.ts";
import { SUBJECTS } from "./subjects.ts";
import { table } from "./table.ts";
import { warm } from "./warm.ts";

const WARM_UP_REQUESTS = 200;

const { values } = parseArgs({
	options: {
		subjects: { type: "string", default: "tutorial,first read,unchanged,fresh,304" },
		runs: { type: "string", default: "10,1000" },
		requests: { type: "string", default: "300" },
		top: { type: "string", default: "12" },
	},
});
const sizes = values.runs.split(",").map((runs) => ({ runs: Number(runs), steps: 5 }));
const names = values.subjects.split(",");
const stage = await setStage(sizes);
const agent = new Agent({ keepAlive: true });
const rows: string[][] = [];
try {
	for (const subject of SUBJECTS.filter(({ name }) => names.includes(name))) {
		const server = await stage.start(subject, false, true);
		for (const size of sizes) {
			const requests = Math.max(20, Math.round(Number(values.requests) / Math.max(1, size.runs / 100)));
			const { url, headers } = await warm(server, subject, size, stage.cookie);
			const repeat = async (times: number) => {
				for (let i = 0; i < times; i++) await ask(agent, url, headers);
			};
			await repeat(Math.min(WARM_UP_REQUESTS, requests));
			const functions = ownFunctions(await profile(server.miniflare, () => repeat(requests)));
			const total = functions.reduce((sum, { milliseconds }) => sum + milliseconds, 0) / requests;
			rows.push([sizeName(size), subject.name, total.toFixed(3)]);
			if (Number(values.top) > 0) console.log(`\n${subject.name}, ${sizeName(size)}: ${total.toFixed(3)} ms a request`);
			for (const { name, milliseconds } of functions.slice(0, Number(values.top))) {
				console.log(`  ${(milliseconds / requests).toFixed(4)}  ${name}`);
			}
		}
		await server.dispose();
	}
	rows.sort(([a = ""], [b = ""]) => Number.parseInt(a.replace(",", ""), 10) - Number.parseInt(b.replace(",", ""), 10));
	console.log(`\n${table(["runs x steps", "", "own ms a request"], rows)}`);
} finally {
	agent.destroy();
	await stage.dispose();
}
