import { table } from "../../lab/table.ts";
import type { LiveCost } from "./cost.ts";
import type { LiveRow } from "./follow.ts";
import type { WriteRow } from "./writes.ts";

const cores = (value: number | null) => value?.toFixed(3) ?? "";
const whole = (value: number) => (Number.isNaN(value) ? "" : value.toFixed(0));

/** For people. */
export function printLive(rows: readonly LiveRow[], costs: readonly LiveCost[], writes: readonly WriteRow[]): string {
	return [
		"Streams: from a report to its event, and what they cost",
		table(
			[
				"runs x steps",
				"streams",
				"",
				"p50 ms",
				"p99 ms",
				"lost",
				"idle cores",
				"busy cores",
				"write ms",
				"unwatched ms",
			],
			rows.map((row) => [
				row.size,
				String(row.streams),
				row.subject,
				whole(row.p50Milliseconds),
				whole(row.p99Milliseconds),
				String(row.lost),
				cores(row.idleCores),
				cores(row.busyCores),
				row.writeMilliseconds.toFixed(1),
				row.unwatchedMilliseconds.toFixed(1),
			]),
		),
		"D1 behind 20 streams of 1,000 runs, and a client that comes back after one change",
		table(
			["", "queries in 10 s idle", "queries a report", "rows a report", "bytes to resume"],
			costs.map(({ subject, ...cost }) => [
				subject,
				...[cost.idleQueries, cost.reportQueries, cost.reportRows, cost.resumeBytes].map((value) =>
					value.toLocaleString("en"),
				),
			]),
		),
		"Reports",
		table(
			[
				"",
				"alone ms",
				"16 over 4 chats, a second",
				"x version 1",
				"200 of one run, ms",
				"refused",
				"D1 batches",
				"D1 a usual report",
			],
			writes.map((row) => [
				row.subject,
				row.aloneMilliseconds.toFixed(1),
				whole(row.spreadPerSecond),
				row.toVersion1.toFixed(2),
				whole(row.crowdMilliseconds),
				String(row.crowdRefused),
				String(row.crowdQueries),
				String(row.usualQueries),
			]),
		),
	].join("\n");
}
