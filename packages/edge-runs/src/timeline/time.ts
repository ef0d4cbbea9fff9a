/*
 * Times and durations as people read them, in English. Pure: `now` is passed in, so that the server and the browser
 * show the same.
 */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** E.g. `412 ms`, `4.2 s`, `45 s`, `1 m 5 s`, `2 h 3 m`, `3 d 4 h`. */
export function describeDuration(milliseconds: number): string {
	if (milliseconds < SECOND) return `${Math.round(milliseconds)} ms`;
	if (milliseconds < 10 * SECOND) return `${Math.floor(milliseconds / 100) / 10} s`;
	if (milliseconds < MINUTE) return `${Math.floor(milliseconds / SECOND)} s`;
	if (milliseconds < HOUR) return twoUnits(milliseconds, MINUTE, "m", SECOND, "s");
	if (milliseconds < DAY) return twoUnits(milliseconds, HOUR, "h", MINUTE, "m");
	return twoUnits(milliseconds, DAY, "d", HOUR, "h");
}

function twoUnits(milliseconds: number, large: number, largeName: string, small: number, smallName: string): string {
	const rest = Math.floor((milliseconds % large) / small);
	return `${Math.floor(milliseconds / large)} ${largeName}${rest > 0 ? ` ${rest} ${smallName}` : ""}`;
}

const UNITS = [
	["year", 365 * DAY],
	["month", 30 * DAY],
	["week", 7 * DAY],
	["day", DAY],
	["hour", HOUR],
	["minute", MINUTE],
] as const;

let relative: Intl.RelativeTimeFormat | undefined;

/** E.g. `just now`, `5 minutes ago`, `1 day ago`. */
export function describeMoment(timestamp: string, now: number): string {
	const difference = Date.parse(timestamp) - now;
	const unit = UNITS.find(([, length]) => Math.abs(difference) >= length);
	if (!unit) return "just now";
	const [name, length] = unit;
	relative ??= new Intl.RelativeTimeFormat("en", { numeric: "always" });
	return relative.format(Math.trunc(difference / length), name);
}

/** A served timestamp in full, e.g. `2024-02-04 12:00:00.000 UTC`. */
export function exactMoment(timestamp: string): string {
	return `${timestamp.slice(0, 10)} ${timestamp.slice(11, 23)} UTC`;
}

const zoned = new Map<string, Intl.DateTimeFormat>();

/** A served timestamp by the clocks of a time zone, e.g. `Feb 4, 2024, 13:00:00 GMT+1`. */
export function zonedMoment(timestamp: string, zone: string): string {
	let format = zoned.get(zone);
	if (!format) {
		const options = { year: "numeric", month: "short", day: "numeric", timeZoneName: "short" } as const;
		const clock = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" } as const;
		format = new Intl.DateTimeFormat("en", { ...options, ...clock, timeZone: zone });
		zoned.set(zone, format);
	}
	return format.format(Date.parse(timestamp));
}

/** Distances that marks on a time axis may have. */
const INTERVALS = [
	...[1, 2, 5, 10, 20, 50, 100, 200, 500],
	...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND),
	...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
	...[1, 2, 3, 6, 12].map((n) => n * HOUR),
	...[1, 2, 5, 10, 30, 100, 365, 1_000, 3_650, 10_000, 36_500, 365_000, 3_650_000].map((n) => n * DAY),
];

const MAX_MARKS = 5;

/** The marks of a time axis of this length, in milliseconds from its start. The start has no mark. */
export function axisMarks(length: number): number[] {
	const interval = INTERVALS.find((each) => length / each <= MAX_MARKS);
	if (!interval) return [];
	const marks = [];
	for (let mark = interval; mark < length; mark += interval) marks.push(mark);
	return marks;
}
