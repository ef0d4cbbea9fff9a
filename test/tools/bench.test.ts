import { beforeAll, describe, expect, it } from "vitest";
import { longestChain } from "../../bench/observe.ts";
import { print, type Report } from "../../bench/report.ts";
import { run } from "../../bench/run.ts";
import { SUBJECTS } from "../../bench/subjects.ts";
import type { ChatSize } from "../../lab/data.ts";

const hasProc = process.platform === "linux";

/** As small as it gets: that the harness works and counts right is the point, not how fast anything is. */
const SIZE: ChatSize = { runs: 10, steps: 2 };
const SIZES = [SIZE];

describe("the benchmark", () => {
	let report: Report;
	// Throws if a subject does not answer with the very runs that were stored, or from where it should.
	beforeAll(async () => {
		report = await run({
			sizes: SIZES,
			plan: { rounds: 1, stretchMilliseconds: 10, connections: 2 },
			networkSize: { runs: 10, steps: 2 },
			delays: [{ kv: 20, d1: 30 }],
			repeats: 1,
			own: { sizes: [SIZE], requests: 5, subjects: ["tutorial", "first read"] },
			live: {
				idleMilliseconds: 100,
				busyMilliseconds: 400,
				rate: 5,
				scenes: [{ size: SIZE, streams: 3 }],
			},
			costSize: SIZE,
			writes: { alone: 3, milliseconds: 100, rounds: 1, crowd: 20 },
		});
	});

	it("reports on every subject and size, in JSON", () => {
		const { rows, calls, network, memory, goals } = JSON.parse(JSON.stringify(report)) as Report;
		expect(rows).toHaveLength(SIZES.length * (SUBJECTS.length - 1) + 1);
		for (const row of rows) {
			expect(row.requestsPerSecond).toBeGreaterThan(0);
			expect(row.p99Milliseconds).toBeGreaterThanOrEqual(row.p50Milliseconds);
			expect(row.bytes === 0).toBe(row.subject === "304");
		}
		expect(calls).toHaveLength(SIZES.length * (SUBJECTS.length - 1));
		expect(network.times).toHaveLength(SUBJECTS.length - 1);
		expect(memory.map(({ subject }) => subject)).toEqual(hasProc ? SUBJECTS.map(({ name }) => name) : []);
		expect(goals.length).toBeGreaterThan(0);
	});

	it("measures own time, streams and reports, ours beside version 0.1", () => {
		const { own, live, costs, writes } = JSON.parse(JSON.stringify(report)) as Report;
		expect(own.map(({ subject }) => subject)).toEqual(["tutorial", "first read"]);
		for (const { milliseconds } of own) expect(milliseconds).toBeGreaterThan(0);
		for (const rows of [live, costs, writes]) expect(rows.map(({ subject }) => subject)).toEqual(["ours", "version 1"]);
		expect(live.map(({ lost }) => lost)).toEqual([0, 0]);
		expect(costs[0]).toMatchObject({ idleQueries: 0 });
		expect(costs[0]?.resumeBytes).toBeLessThan(2_000);
		expect(writes[0]).toMatchObject({ usualQueries: 1, crowdRefused: 0 });
		expect(writes[0]?.crowdQueries).toBeLessThan(20);
	});

	it("answers all the same number of bytes", () => {
		for (const size of new Set(report.rows.map((row) => row.size))) {
			const bodies = report.rows.filter((row) => row.size === size && !["hello", "304"].includes(row.subject));
			expect(new Set(bodies.map(({ bytes }) => bytes)).size).toBe(1);
		}
	});

	it.each([
		{ subject: "floor", kv: 2, d1: 0, inSequence: 1, cache: 1, rowsRead: 0 },
		{ subject: "handwritten", kv: 1, d1: 1, inSequence: 2, cache: 0 },
		{ subject: "tutorial", kv: 1, d1: 2, inSequence: 3, cache: 0 },
		{ subject: "bare read", kv: 2, d1: 1, inSequence: 1, cache: 2 },
		{ subject: "first read", kv: 2, d1: 1, inSequence: 1, cache: 3 },
		{ subject: "unchanged", kv: 2, d1: 1, inSequence: 1, rowsRead: 1 },
		{ subject: "fresh", kv: 2, d1: 0, inSequence: 1, cache: 1, rowsRead: 0 },
		{ subject: "304", kv: 2, d1: 0, inSequence: 1, cache: 0, rowsRead: 0 },
	])("counts the calls of $subject", ({ subject, ...counts }) => {
		const found = report.calls.find((calls) => calls.subject === subject && calls.size === "10 x 2");
		expect(found).toMatchObject(counts);
	});

	it("makes the stores as far away as it is told", () => {
		const time = (name: string) => report.network.times.find(({ subject }) => subject === name)?.milliseconds;
		expect(time("tutorial")).toBeGreaterThanOrEqual(20 + 30 + 30);
		expect(time("first read")).toBeGreaterThanOrEqual(30);
		expect(time("fresh")).toBeGreaterThanOrEqual(20);
	});

	it("prints a table of it", () => {
		const text = print(report);
		for (const { name, about } of SUBJECTS) expect(text).toContain(`${name.padEnd(12)} ${about}`);
		expect(text).toMatch(/Only ratios mean something/);
	});
});

describe("longestChain", () => {
	const call = (start: number, end: number | null) => ({ store: "d1" as const, start, end, rowsRead: 0 });

	it("is what waits for one another", () => {
		expect(longestChain([])).toBe(0);
		expect(longestChain([call(0, 1), call(2, 3), call(4, 5)])).toBe(3);
		expect(longestChain([call(0, 3), call(1, 2)])).toBe(1);
		expect(longestChain([call(0, 2), call(1, 4), call(3, 5)])).toBe(2);
		expect(longestChain([call(0, null), call(1, null)])).toBe(1);
	});
});
