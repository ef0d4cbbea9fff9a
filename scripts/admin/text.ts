import { describeMoment } from "#timeline/time.ts";

/** A terminal acts on control characters, and shows text behind some others in another order. */
const UNPRINTABLE = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;

/** Text of somebody else's, safe on a terminal. */
export const printable = (text: string) =>
	text.replace(UNPRINTABLE, (character) => `\\u${(character.codePointAt(0) as number).toString(16).padStart(4, "0")}`);

/** A moment, and how long ago that is. @param now milliseconds since the epoch */
export const moment = (timestamp: string, now: number) => `${timestamp} (${describeMoment(timestamp, now)})`;

export const number = (value: number) => value.toLocaleString("en");

/** E.g. `3 runs`, `1 run`, `at least 10,000 runs`. */
export function count(value: number, what: string, isAtLeast = false): string {
	return `${isAtLeast ? "at least " : ""}${number(value)} ${what}${value === 1 ? "" : "s"}`;
}

/** E.g. `2 running, 1 failed`: what there is none of is left out. */
export const named = (counts: Readonly<Record<string, number>>) =>
	Object.entries(counts)
		.filter(([, runs]) => runs > 0)
		.map(([status, runs]) => `${number(runs)} ${status}`)
		.join(", ");

export const sum = (counts: Readonly<Record<string, number>>) =>
	Object.values(counts).reduce((total, each) => total + each, 0);

type Row = readonly [name: string, value: string | null | undefined | false];

/** Names and values, one under the other. What has no value is left out. */
export function fields(rows: readonly Row[]): string[] {
	const shown = rows.filter((row): row is [string, string] => typeof row[1] === "string");
	const width = Math.max(...shown.map(([name]) => name.length));
	return shown.map(([name, value]) => `  ${name.padEnd(width)}  ${printable(value)}`);
}

/** Lines of cells in columns, under a heading; nothing if there are none. */
export function table(heading: string, rows: readonly (readonly string[])[]): string[] {
	const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
	const line = (row: readonly string[]) => row.map((cell, i) => printable(cell).padEnd(widths[i] ?? 0)).join("  ");
	return rows.length === 0 ? [] : ["", `${heading}:`, ...rows.map((row) => `  ${line(row).trimEnd()}`)];
}

/** What it means, in words, for whoever was woken up by it. */
export function notes(...all: readonly (string | false | null | undefined)[]): string[] {
	const said = all.filter((note): note is string => typeof note === "string");
	return said.length === 0 ? [] : ["", ...said.map((note) => `- ${printable(note)}`)];
}
