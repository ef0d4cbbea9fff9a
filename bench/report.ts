import { arch, cpus, release, type } from "node:os";
import { table } from "../lab/table.ts";
import type { Goal } from "./goals.ts";
import type { LiveCost } from "./live/cost.ts";
import type { LiveRow } from "./live/follow.ts";
import { printLive } from "./live/print.ts";
import type { WriteRow } from "./live/writes.ts";
import type { Plan, Row } from "./measure.ts";
import type { Memory } from "./memory.ts";
import type { Calls, Timed } from "./observe.ts";
import { type Own, ownOf } from "./own.ts";
import { SUBJECTS } from "./subjects.ts";

/** A whole run, as `--json` prints it. */
export interface Report {
	readonly machine: { readonly cpu: string; readonly cores: number; readonly system: string };
	readonly versions: Readonly<Record<string, string>>;
	readonly bundle: { readonly gzippedBytes: number };
	readonly plan: Plan;
	readonly rows: readonly Row[];
	readonly calls: readonly Calls[];
	readonly network: { readonly size: string; readonly times: readonly Timed[] };
	readonly memory: readonly Memory[];
	readonly own: readonly Own[];
	readonly live: readonly LiveRow[];
	readonly costs: readonly LiveCost[];
	readonly writes: readonly WriteRow[];
	readonly goals: readonly Goal[];
}

export function describeMachine(): Report["machine"] {
	const [cpu] = cpus();
	return { cpu: cpu?.model ?? "unknown", cores: cpus().length, system: `${type()} ${release()} ${arch()}` };
}

/** For people. */
export function print(report: Report): string {
	const { machine, versions, bundle, plan } = report;
	const parts = [
		`${machine.cpu}, ${machine.cores} cores, ${machine.system}`,
		Object.entries(versions)
			.map(([name, version]) => `${name} ${version}`)
			.join(", "),
		`Our bundle: ${(bundle.gzippedBytes / 1024).toFixed(1)} KB gzipped`,
		`${plan.connections} connections, ${plan.rounds} rounds of ${plan.stretchMilliseconds} ms each, in turn; medians.`,
		"Only ratios mean something: the stores are Miniflare's, and the machine may be busy.",
		"",
		...SUBJECTS.map(({ name, about }) => `  ${name.padEnd(12)} ${about}`),
		"",
		table(
			[
				"runs x steps",
				"",
				"req/s",
				"x tutorial",
				"x floor",
				"p50 ms",
				"p99 ms",
				"alone ms",
				"x tutorial",
				"cpu ms",
				"bytes",
			],
			report.rows.map(rateCells),
		),
		"What one request asks of the stores",
		table(
			["runs x steps", "", "KV", "D1", "in sequence", "cache", "rows read"],
			report.calls.map((each) => [
				each.size,
				each.subject,
				...[each.kv, each.d1, each.inSequence, each.cache, each.rowsRead].map(String),
			]),
		),
		`Milliseconds to the answer, ${report.network.size}, with KV and D1 that far away`,
		networkTable(report.network.times),
		"Memory of each workerd, MB resident",
		table(
			["", "start", "peak", "end", "requests"],
			report.memory.map((each) => [
				each.subject,
				...[each.startMegabytes, each.peakMegabytes, each.endMegabytes].map((value) => value.toFixed(0)),
				String(each.requests),
			]),
		),
		"Own processor time of one request, by V8's profiler in the Worker's isolate alone",
		table(
			["runs x steps", "", "ms", "x tutorial"],
			report.own.map(({ size, subject, milliseconds }) => [
				size,
				subject,
				milliseconds.toFixed(3),
				(milliseconds / ownOf(report.own, "tutorial", size)).toFixed(2),
			]),
		),
		printLive(report.live, report.costs, report.writes),
		"Goals",
		table(
			["", "measured", "by cpu", ""],
			report.goals.map(({ goal, measured, byCpu = "", reached }) => [
				goal,
				measured,
				byCpu,
				reached ? "reached" : "missed",
			]),
		),
	];
	return parts.join("\n");
}

function rateCells(row: Row): string[] {
	return [
		row.size,
		row.subject,
		row.requestsPerSecond.toFixed(0),
		row.toTutorial.toFixed(2),
		row.toFloor.toFixed(2),
		row.p50Milliseconds.toFixed(1),
		row.p99Milliseconds.toFixed(1),
		row.soloMilliseconds.toFixed(1),
		row.soloToTutorial.toFixed(2),
		row.cpuMilliseconds?.toFixed(2) ?? "",
		row.bytes.toLocaleString("en"),
	];
}

function networkTable(times: readonly Timed[]): string {
	const delays = [...new Set(times.map(({ delays: { kv, d1 } }) => `${kv}/${d1}`))];
	const subjects = [...new Set(times.map(({ subject }) => subject))];
	const cell = (subject: string, delay: string) =>
		times.find((each) => each.subject === subject && `${each.delays.kv}/${each.delays.d1}` === delay);
	return table(
		["KV/D1 ms", ...delays],
		subjects.map((subject) => [subject, ...delays.map((delay) => cell(subject, delay)?.milliseconds.toFixed(0) ?? "")]),
	);
}
