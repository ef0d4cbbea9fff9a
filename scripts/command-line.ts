import { type ParseArgsConfig, parseArgs } from "node:util";

/** A script stops: its message is for the person who started it, and no stack is shown. */
export class Stop extends Error {
	override readonly name = "Stop";
}

/** Exit status of a script that stopped, or was called with options that it does not have. */
export const STOPPED = 2;

const HELP_OPTION = { help: { type: "boolean", short: "h" } } as const;

type Options = NonNullable<ParseArgsConfig["options"]>;
type Parsed<O extends Options, P extends boolean> = ReturnType<
	typeof parseArgs<{ options: O; allowPositionals: P; strict: true }>
>;

/**
 * Runs a script: reads its options, answers `--help`, and ends with a line for people where it cannot go on.
 *
 * @param help what `--help` prints
 * @param main gets the options; the number that it returns or resolves with is the exit status, 0 if there is none
 * @param positionals whether it takes arguments that are no options
 */
export async function command<O extends Options, P extends boolean = false>(
	help: string,
	options: O,
	main: (parsed: Parsed<O, P>) => unknown,
	positionals: P = false as P,
): Promise<void> {
	try {
		const parsed = parse({ ...options, ...HELP_OPTION }, positionals);
		if (parsed.values["help"]) return console.log(help);
		const status = await main(parsed as unknown as Parsed<O, P>);
		if (typeof status === "number") process.exitCode = status;
	} catch (error) {
		if (!(error instanceof Stop)) throw error;
		console.error(error.message);
		process.exitCode = STOPPED;
	}
}

function parse(options: Options, allowPositionals: boolean) {
	try {
		return parseArgs({ options, allowPositionals, strict: true });
	} catch (error) {
		// Behind the first sentence Node explains how to pass a file whose name begins with a dash.
		const [what] = (error as Error).message.split(/\. (?=[A-Z])/);
		throw new Stop(`${what?.replace(/\.$/, "")}. --help says what there is.`);
	}
}

/**
 * @param name the option's name, for the message
 * @throws {Stop} if the text is not a whole number from 1 to `max`
 */
export function wholeNumber(name: string, text: string, max = Number.MAX_SAFE_INTEGER): number {
	const number = /^[1-9]\d*$/.test(text) ? Number(text) : 0;
	if (number >= 1 && number <= max) return number;
	throw new Stop(
		`${name} takes a whole number from 1${max === Number.MAX_SAFE_INTEGER ? "" : ` to ${max}`}, not "${text}".`,
	);
}
