/** `npm run drill -- NAME`: plays what an operator hopes never to need, with the deployed bundle in workerd. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { bundle, readBundle } from "../lab/bundle.ts";
import { BUNDLES } from "../lab/bundles.ts";
import { command, Stop } from "../scripts/command-line.ts";
import { d1Full } from "./d1-full.ts";
import { kvDown } from "./kv-down.ts";
import { migrate } from "./migrate.ts";
import { restore } from "./restore/restore.ts";
import { rollBack } from "./roll-back.ts";
import { secrets } from "./secrets/secrets.ts";
import { type Bundles, type Drill, Stage } from "./stage.ts";

// Secrets are the drills' own, not those of .dev.vars, which wrangler would mention.
process.env["WRANGLER_LOG"] ??= "warn";

const DRILLS: Readonly<Record<string, Drill>> = {
	restore,
	secrets,
	"roll-back": rollBack,
	migrate,
	"d1-full": d1Full,
	"kv-down": kvDown,
};

const HELP = `Drills what docs/drills.md tells operators, on this machine, with stores of its own:

${Object.entries(DRILLS)
	.map(([name, { about }]) => `  npm run drill -- ${name.padEnd(9)}  ${about}`)
	.join("\n")}
  npm run drills                all of them, in about two minutes

It says what it does and sees, and exits with 1 where something does not hold.`;

await command(HELP, { all: { type: "boolean", default: false } }, main, true);

async function main({ values, positionals }: { values: { all?: boolean }; positionals: string[] }): Promise<number> {
	const names = values.all ? Object.keys(DRILLS) : positionals;
	if (names.length === 0) throw new Stop(`Which drill?\n\n${HELP}`);
	const unknown = names.find((name) => !Object.hasOwn(DRILLS, name));
	if (unknown !== undefined) throw new Stop(`There is no drill "${unknown}".\n\n${HELP}`);
	const bundles = await build();
	const isAlone = names.length === 1;
	const inOrder = async (those: readonly string[]) => {
		const held: boolean[] = [];
		for (const name of those) held.push(await hold(name, bundles, isAlone));
		return held;
	};
	// Those that mostly wait do so beside the others.
	const waiting = names.filter((name) => DRILLS[name]?.waits);
	const others = names.filter((name) => !DRILLS[name]?.waits);
	const held = await Promise.all([...waiting.map((name) => inOrder([name])), inOrder(others)]);
	return held.flat().every((each) => each) ? 0 : 1;
}

async function build(): Promise<Bundles> {
	const directory = mkdtempSync(path.join(tmpdir(), "edge-runs-drill-"));
	try {
		return { ours: await bundle(BUNDLES.ours.config, directory), "version 1": readBundle(BUNDLES["version 1"].entry) };
	} finally {
		rmSync(directory, { recursive: true, force: true });
	}
}

/**
 * @param isAlone whether it is told line by line; else in one piece at its end, as others are going on
 * @returns whether the drill holds
 */
async function hold(name: string, bundles: Bundles, isAlone: boolean): Promise<boolean> {
	const { about, run } = DRILLS[name] as Drill;
	const lines: string[] = [];
	const print = (line: string) => (isAlone ? console.log(line) : lines.push(line));
	print(`Drill "${name}": ${about}`);
	const stage = new Stage(bundles, print);
	const start = Date.now();
	let holds = false;
	try {
		await run(stage);
		stage.noBugs();
		holds = true;
		print(`\n  It held, in ${Math.round((Date.now() - start) / 1000)} s.\n`);
	} catch (error) {
		print(`\n  It did NOT hold: ${(error as Error).stack}\n`);
	} finally {
		await stage.end();
	}
	if (!isAlone) console.log(lines.join("\n"));
	return holds;
}
