import { describe, expect, it } from "vitest";
import { decide, keepSeconds, mayReplace, readFrom } from "../../../src/workflow-runs/decide.ts";

const NOW = Date.parse("2026-01-01T00:00:00.000Z");
const [OLDER, SAME, NEWER] = ["1", "2", "3"].map((digit) => `0000000${digit}-00000000-00000000-${"0".repeat(32)}`);

/** A copy that was read and last confirmed so many seconds ago. */
const copy = (read: number, checked: number, bookmark: string | null = SAME as string) => ({
	readAt: NOW - read * 1000,
	checkedAt: NOW - checked * 1000,
	bookmark,
});
const DEFAULTS = { freshSeconds: 1, staleIfErrorSeconds: 3600 };

describe("decide, row by row", () => {
	it.each([
		["none", null, "read", "fail"],
		["confirmed within the fresh window", copy(30, 0.9), "hit", "stale"],
		["confirmed at the end of the fresh window", copy(30, 1), "ask", "stale"],
		["read within the minute", copy(59.9, 59.9), "ask", "stale"],
		["read a minute ago, confirmed just now", copy(60, 0), "hit", "stale"],
		["read a minute ago", copy(60, 2), "read", "stale"],
		["confirmed at the end of STALE_IF_ERROR_SECONDS", copy(3599.9, 3599.9), "read", "stale"],
		["older than STALE_IF_ERROR_SECONDS", copy(3600, 3600), "read", "fail"],
		["of a clock that is ahead", copy(-5, -5), "hit", "stale"],
	])("a copy: %s", (_, kept, step, ifD1Fails) => {
		expect(decide(kept, NOW, DEFAULTS)).toEqual({ step, ifD1Fails });
	});

	it.each([
		["FRESH_SECONDS=0", { freshSeconds: 0, staleIfErrorSeconds: 3600 }, "ask", "stale"],
		["FRESH_SECONDS=60", { freshSeconds: 60, staleIfErrorSeconds: 3600 }, "hit", "stale"],
		["STALE_IF_ERROR_SECONDS=0", { freshSeconds: 1, staleIfErrorSeconds: 0 }, "hit", "fail"],
		["both 0", { freshSeconds: 0, staleIfErrorSeconds: 0 }, "ask", "fail"],
	])("settings: %s", (_, settings, step, ifD1Fails) => {
		expect(decide(copy(0.5, 0.5), NOW, settings)).toEqual({ step, ifD1Fails });
	});

	it.each([
		["the copy's", SAME, SAME, "hit"],
		["older than the copy's", OLDER, SAME, "hit"],
		["newer than the copy's", NEWER, SAME, "ask"],
		["one, where the copy has none", OLDER, null, "ask"],
	])("a caller's bookmark: %s", (_, bookmark, known, step) => {
		expect(decide(copy(0, 0, known), NOW, DEFAULTS, { bookmark })).toMatchObject({ step });
	});

	it("somebody who must be certain asks", () => {
		expect(decide(copy(0, 0), NOW, DEFAULTS, { certain: true })).toMatchObject({ step: "ask" });
		expect(decide(copy(60, 0), NOW, DEFAULTS, { certain: true })).toMatchObject({ step: "read" });
	});
});

it.each([
	["nothing asked, nothing known", undefined, null, null],
	["nothing asked", undefined, SAME, SAME],
	["an older bookmark", OLDER, SAME, SAME],
	["the same bookmark", SAME, SAME, SAME],
	["a newer bookmark, which may be invented", NEWER, SAME, "first-primary"],
	["a bookmark, and nothing known", OLDER, null, "first-primary"],
])("readFrom: %s", (_, bookmark, known, from) => {
	expect(readFrom(bookmark, known)).toBe(from);
});

it.each([
	[{ freshSeconds: 1, staleIfErrorSeconds: 3600 }, 3600],
	[{ freshSeconds: 1, staleIfErrorSeconds: 0 }, 61],
	[{ freshSeconds: 0, staleIfErrorSeconds: 0 }, 60],
	[{ freshSeconds: 60, staleIfErrorSeconds: 90 }, 120],
])("keepSeconds: %o", (settings, seconds) => {
	expect(keepSeconds(settings)).toBe(seconds);
});

it.each([
	["of a newer bookmark", copy(0, 5, SAME), copy(0, 9, NEWER), true],
	["of the same bookmark", copy(0, 5, SAME), copy(0, 9, SAME), true],
	["of an older bookmark", copy(0, 9, SAME), copy(0, 5, OLDER), false],
	["without a bookmark, checked later", copy(0, 9, SAME), copy(0, 5, null), true],
	["without a bookmark, checked before", copy(0, 5, null), copy(0, 9, SAME), false],
	["of an older bookmark, in place of a copy of a minute", copy(60, 60, SAME), copy(0, 0, OLDER), true],
])("mayReplace: by a copy %s", (_, kept, by, may) => {
	expect(mayReplace(kept, by, NOW)).toBe(may);
});
