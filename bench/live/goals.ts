import type { Goal } from "../goals.ts";
import type { LiveCost } from "./cost.ts";
import type { LiveRow } from "./follow.ts";
import type { WriteRow } from "./writes.ts";

/** What pushed streams and the one writer of a chat are to reach. */
export function judgeLive(rows: readonly LiveRow[], costs: readonly LiveCost[], writes: readonly WriteRow[]): Goal[] {
	const row = (streams: number, runs: string, subject = "ours") =>
		rows.find((each) => each.subject === subject && each.streams === streams && each.size.startsWith(`${runs} x`));
	const goals: Goal[] = [];
	const judge = (goal: string, value: number | null | undefined, most: number, unit: string) => {
		if (value === undefined || value === null) return;
		goals.push({ goal, reached: value <= most, measured: `${value.toFixed(value < 10 ? 2 : 0)}${unit}` });
	};
	const twenty = row(20, "1,000");
	judge("report to event, 20 streams on 1,000 runs: p50 at most 50 ms", twenty?.p50Milliseconds, 50, " ms");
	judge("the same: p99 at most 150 ms", twenty?.p99Milliseconds, 150, " ms");
	judge("200 idle streams: at most 0.02 core", row(200, "1,000")?.idleCores, 0.02, " core");
	const [hundred, polled] = [row(100, "1,000"), row(100, "1,000", "version 1")];
	if (hundred?.busyCores && polled?.busyCores) {
		const share = hundred.busyCores / polled.busyCores;
		judge("100 streams on 1,000 runs: at most a fifth of version 1's processor time", share, 0.2, " x");
	}
	if (hundred) {
		const slower = hundred.writeMilliseconds / hundred.unwatchedMilliseconds;
		judge("a report to 100 streams: at most 1.3 x as long as one that nobody watches", slower, 1.3, " x");
	}
	const cost = costs.find(({ subject }) => subject === "ours");
	judge("20 idle streams ask D1 for nothing in 10 s but by the safety net", cost?.idleQueries, 20, " queries");
	judge("a client that comes back after one change in 1,000 runs: under 2 KB", cost?.resumeBytes, 2_000, " bytes");
	const [ours, version1] = ["ours", "version 1"].map((name) => writes.find(({ subject }) => subject === name));
	judge("200 writers of one run: all answered within 3 s", ours && ours.crowdMilliseconds / 1000, 3, " s");
	judge("200 writers of one run: none refused", ours?.crowdRefused, 0, "");
	judge("200 writers of one run: under 60 D1 batches", ours?.crowdQueries, 60, "");
	judge("a usual report: one D1 round trip", ours?.usualQueries, 1, "");
	if (ours && version1) {
		const goal = "16 writers over four chats: at least 1.5 x version 1";
		goals.push({ goal, reached: ours.toVersion1 >= 1.5, measured: `${ours.toVersion1.toFixed(2)} x` });
	}
	return goals;
}
