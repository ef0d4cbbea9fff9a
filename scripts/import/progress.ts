import type { Refusal } from "./parse.ts";
import type { Tally } from "./run.ts";

const TERMINAL_MILLISECONDS = 200;
/** Where the output is not a terminal, a line now and then. */
const LOG_MILLISECONDS = 10_000;

const count = (number: number) => number.toLocaleString("en");

/**
 * Shows on stderr how far an import is: on a terminal in one line that changes, elsewhere in a line every ten seconds.
 * @param totalBytes the file's size, if it is known
 * @returns a function that ends the display
 */
export function showProgress(tally: Tally, totalBytes: number | null): () => void {
	const { stderr } = process;
	const start = performance.now();
	const line = () => {
		const lines = tally.created + tally.merged + tally.refused + tally.chats;
		const seconds = (performance.now() - start) / 1_000;
		const share = totalBytes ? ` ${String(Math.floor((100 * tally.bytes) / totalBytes)).padStart(3)} % read,` : "";
		return (
			`${share} ${count(lines)} lines done (${count(Math.round(lines / seconds))}/s): ` +
			`${count(tally.created)} new, ${count(tally.merged)} merged, ${count(tally.refused)} refused`
		).trimStart();
	};
	const show = () => stderr.write(stderr.isTTY ? `\r${line()}\u001b[K` : `${line()}\n`);
	const timer = setInterval(show, stderr.isTTY ? TERMINAL_MILLISECONDS : LOG_MILLISECONDS);
	return () => {
		clearInterval(timer);
		if (stderr.isTTY) stderr.write("\r\u001b[K");
	};
}

/** The result of an import, for people: counts, and which lines were refused and why. */
export function summarize(tally: Tally, seconds: number): string {
	const { created, merged, refused, chats, refusals, leftOut, leftOuts } = tally;
	const total = created + merged + refused + chats;
	const width = count(total).length;
	const row = (name: string, number: number) => `  ${name.padEnd(8)} ${count(number).padStart(width)}`;
	const list = (all: readonly Refusal[], number: number) => [
		...[...all].sort((a, b) => a.line - b.line).map(({ line, reason }) => `    line ${line}: ${reason}`),
		...(number > all.length ? [`    and ${count(number - all.length)} more`] : []),
	];
	return [
		`${count(total)} lines in ${seconds.toFixed(1)} s (${count(Math.round(total / seconds))}/s)`,
		row("new", created),
		row("merged", merged),
		row("refused", refused),
		...list(refusals, refused),
		...(chats > 0 ? [row("chats", chats)] : []),
		...(leftOuts > 0 ? ["  left out of lines that are in:", ...list(leftOut, leftOuts)] : []),
	].join("\n");
}
