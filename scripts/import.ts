/** `npm run import`: reports the runs of a file, one a line. */
import { createReadStream, statSync } from "node:fs";
import { MAX_BODY_BYTES } from "#protocol/limits.ts";
import { command, Stop, wholeNumber } from "./command-line.ts";
import { FRAME_BYTES } from "./import/batches.ts";
import { readLines } from "./import/lines.ts";
import { showProgress, summarize } from "./import/progress.ts";
import { emptyTally, importLines } from "./import/run.ts";
import { sender } from "./send.ts";
import { parseOrigin, recorderToken } from "./tokens.ts";

const HELP = `Reports the runs of a file to edge-runs, one JSON object a line:

  npm run import -- FILE.ndjson --url https://runs.example.com
  … | npm run import -- - --url https://runs.example.com

A line is a run as the API returns it (id, chatId, workflowId, status, startedAt, completedAt, steps …) with its owner's
userId beside, or { "chatId", "userId", "run": { … } }. Chats are registered on the way. A chat that was deleted stays so,
and its lines are refused, unless --restore brings it back. The export of a user is such a file, too: a line of it without
a run registers a chat, and deletes it again where the line says "deletedAt". An export that breaks off is not taken for a
whole one.

  --url URL         where the service is
  --concurrency N   requests at once: 1 to 32, 4 unless given
  --from-line N     passes over the lines before this one
  --restore         brings back chats that were deleted
  --help            says this

The service token is the environment's RECORDER_TOKEN; for a local service the first one of .dev.vars will do.

Importing again is harmless: runs are merged, and what is known stays as it is. A refused line stops no other.
Exit status: 0 all is in; 1 lines were refused; 2 it or the export stopped before the end, and how to go on; 130 interrupted.`;

const OPTIONS = {
	url: { type: "string" },
	concurrency: { type: "string", default: "4" },
	"from-line": { type: "string", default: "1" },
	restore: { type: "boolean", default: false },
} as const;

await command(HELP, OPTIONS, ({ values, positionals }) => runImport(values, positionals), true);

interface Options {
	readonly url?: string;
	readonly concurrency: string;
	readonly "from-line": string;
	readonly restore: boolean;
}

/** Lines are read while requests are under way. So a stopped import says up to which line everything is stored. */
async function runImport(values: Options, positionals: readonly string[]): Promise<number> {
	const [file] = positionals;
	if (file === undefined || positionals.length > 1) throw new Stop("Which file? `npm run import -- --help` says more.");
	if (values.url === undefined) throw new Stop("Where to? --url https://runs.example.com");
	const origin = parseOrigin(values.url);
	// A line of its own, over the one that shows how far it is.
	const say = (message: string) => process.stderr.write(`${process.stderr.isTTY ? "\r\u001b[K" : ""}${message}\n`);
	const send = sender(origin, recorderToken(origin), { say });
	const concurrency = wholeNumber("--concurrency", values.concurrency, 32);
	const fromLine = wholeNumber("--from-line", values["from-line"]);

	const interruption = new AbortController();
	// A second Ctrl+C ends it at once.
	process.once("SIGINT", () => interruption.abort());
	const tally = emptyTally();
	const { bytes, size } = open(file);
	const start = performance.now();
	const endProgress = showProgress(tally, size);
	let stop: unknown;
	try {
		const lines = readLines(bytes, MAX_BODY_BYTES - FRAME_BYTES);
		await importLines(lines, send, tally, {
			concurrency,
			fromLine,
			restore: values.restore,
			signal: interruption.signal,
		});
	} catch (error) {
		stop = error;
	} finally {
		endProgress();
	}
	console.log(summarize(tally, (performance.now() - start) / 1_000));
	if (!stop && !interruption.signal.aborted) {
		if (tally.nextCursor === null) return tally.refused > 0 ? 1 : 0;
		const rest = `?cursor=${encodeURIComponent(tally.nextCursor)}`;
		console.error(`\nThe export is not whole: it breaks off. Get the rest of it with ${rest}, and import that, too.`);
		return 2;
	}

	if (stop) console.error(`\n${stop instanceof Stop ? stop.message : describe(stop, file)}`);
	const again = file === "-" ? "the same input and" : `npm run import -- ${file} --url ${values.url}`;
	const options = `--from-line ${tally.through + 1}${values.restore ? " --restore" : ""}`;
	console.error(`\nNot all lines are in; sending a line again does no harm. Go on with: ${again} ${options}`);
	return stop ? 2 : 130;
}

/** The bytes of the file, or of standard input for `-`, and their number if it is known. */
function open(file: string): { bytes: AsyncIterable<Uint8Array>; size: number | null } {
	if (file === "-") return { bytes: process.stdin, size: null };
	const stats = statSync(file, { throwIfNoEntry: false });
	if (!stats) throw new Stop(`${file} does not exist.`);
	if (stats.isDirectory()) throw new Stop(`${file} is a directory.`);
	return { bytes: createReadStream(file), size: stats.isFile() ? stats.size : null };
}

/** For a system error, e.g. a file that cannot be read, the message is enough. For a bug all of it is shown. */
function describe(error: unknown, file: string): string {
	if (error instanceof Error) return "syscall" in error ? `${file}: ${error.message}` : (error.stack ?? error.message);
	return String(error);
}
