import type { Row } from "./measure.ts";
import type { Timed } from "./observe.ts";
import { type Own, ownOf } from "./own.ts";

/** Something that the service wants to reach, and how far it got. */
export interface Goal {
	readonly goal: string;
	readonly reached: boolean;
	/** What was measured, as text. */
	readonly measured: string;
	/** The same ratio by processor time, which a busy machine changes less; undefined where it cannot be told. */
	readonly byCpu?: string;
}

/** What a first read may take beyond its slower store, for all that is not waiting. */
const OWN_MILLISECONDS = 8;
/** And no more than this times what the bare calls take. */
const OVER_BARE = 1.1;

/** The goals of which this run measured something. */
export function judge(rows: readonly Row[], times: readonly Timed[], own: readonly Own[] = []): Goal[] {
	const ratio = (subject: string, runs: string, to: "toTutorial" | "toFloor", least: number): Goal[] =>
		rows
			.filter((row) => row.subject === subject && (runs === "any" || row.size.startsWith(`${runs} x`)))
			.map((row) => ({
				goal: `${subject}, ${row.size}: at least ${least} x ${to === "toTutorial" ? "tutorial" : "floor"}`,
				reached: row[to] >= least,
				measured: row[to].toFixed(2),
				...byCpu(row, rows, to),
			}));
	return [
		...ratio("first read", "100", "toTutorial", 2),
		...ratio("first read", "1,000", "toTutorial", 2),
		...ratio("unchanged", "100", "toTutorial", 2),
		...ratio("fresh", "100", "toTutorial", 4),
		...ratio("fresh", "1,000", "toTutorial", 10),
		...ratio("fresh", "any", "toFloor", 0.9),
		...ratio("304", "any", "toFloor", 1),
		...times.filter(({ subject }) => subject === "first read").flatMap((time) => judgeDelays(time, times)),
		...judgeOwn(own, "first read", "10", 1),
		...judgeOwn(own, "first read", "1,000", 0.4),
		...judgeOwn(own, "unchanged", "any", 0.6),
	];
}

function byCpu(
	{ size, cpuMilliseconds }: Row,
	rows: readonly Row[],
	to: "toTutorial" | "toFloor",
): Pick<Goal, "byCpu"> {
	const peer = rows.find((row) => row.size === size && row.subject === (to === "toTutorial" ? "tutorial" : "floor"));
	if (!cpuMilliseconds || !peer?.cpuMilliseconds) return {};
	return { byCpu: (peer.cpuMilliseconds / cpuMilliseconds).toFixed(2) };
}

function judgeDelays({ delays: { kv, d1 }, milliseconds }: Timed, times: readonly Timed[]): Goal[] {
	const own = milliseconds - Math.max(kv, d1);
	const away = `first read, KV ${kv} ms and D1 ${d1} ms away`;
	const bare = times.find((time) => time.subject === "bare read" && time.delays.kv === kv && time.delays.d1 === d1);
	const goals: Goal[] = [
		{
			goal: `${away}: the slower one and at most ${OWN_MILLISECONDS} ms`,
			reached: own <= OWN_MILLISECONDS,
			measured: `${Math.max(kv, d1)} + ${own.toFixed(1)} ms`,
		},
	];
	if (bare) {
		const over = milliseconds / bare.milliseconds;
		const goal = `${away}: at most ${OVER_BARE} x bare read`;
		goals.push({ goal, reached: over <= OVER_BARE, measured: over.toFixed(2) });
	}
	return goals;
}

function judgeOwn(own: readonly Own[], subject: string, runs: string, most: number): Goal[] {
	return own
		.filter((each) => each.subject === subject && (runs === "any" || each.size.startsWith(`${runs} x`)))
		.map(({ size, milliseconds }) => {
			const ratio = milliseconds / ownOf(own, "tutorial", size);
			const goal = `own time of ${subject}, ${size}: at most ${most} x tutorial`;
			return { goal, reached: ratio <= most, measured: ratio.toFixed(2) };
		});
}
