import { describe, expect, it } from "vitest";
import { axisMarks, describeDuration, describeMoment, exactMoment } from "#timeline/time.ts";

const NOW = Date.parse("2024-02-29T12:00:00.000Z");
const DAY = 86_400_000;

describe("a duration", () => {
	it.each([
		[0, "0 ms"],
		[999, "999 ms"],
		[1_000, "1 s"],
		[4_290, "4.2 s"],
		[9_999, "9.9 s"],
		[59_999, "59 s"],
		[60_000, "1 m"],
		[3_599_999, "59 m 59 s"],
		[3_600_000, "1 h"],
		[DAY - 1, "23 h 59 m"],
		[3 * DAY + 4 * 3_600_000, "3 d 4 h"],
		[800 * DAY, "800 d"],
	])("%d ms is %s", (milliseconds, text) => {
		expect(describeDuration(milliseconds)).toBe(text);
	});
});

describe("a moment", () => {
	it.each([
		["2024-02-29T12:00:00.000Z", "just now"],
		["2024-02-29T11:59:00.001Z", "just now"],
		["2024-02-29T11:59:00.000Z", "1 minute ago"],
		["2024-02-29T11:00:00.000Z", "1 hour ago"],
		["2024-02-28T09:00:00.000Z", "1 day ago"],
		["2024-02-10T12:00:00.000Z", "2 weeks ago"],
		["2022-02-28T12:00:00.000Z", "2 years ago"],
		// By clocks that disagree.
		["2024-02-29T12:05:00.000Z", "in 5 minutes"],
		["0001-01-01T00:00:00.000Z", "2,024 years ago"],
	])("%s is %s", (timestamp, text) => {
		expect(describeMoment(timestamp, NOW)).toBe(text);
	});

	it("is exact when asked", () => {
		expect(exactMoment("2024-02-04T12:00:00.123Z")).toBe("2024-02-04 12:00:00.123 UTC");
	});
});

describe("the marks of an axis", () => {
	it.each([
		[0, []],
		[1, []],
		[10, [2, 4, 6, 8]],
		[47_600, [10_000, 20_000, 30_000, 40_000]],
		[90_000, [30_000, 60_000]],
		[3 * DAY, [DAY, 2 * DAY]],
	])("%d ms long: %j", (length, marks) => {
		expect(axisMarks(length)).toEqual(marks);
	});

	it("are few, however long it is", () => {
		for (let length = 1; length < 10_000 * 365 * DAY; length = length * 1.7 + 1) {
			expect(axisMarks(length).length).toBeLessThanOrEqual(5);
		}
	});
});
