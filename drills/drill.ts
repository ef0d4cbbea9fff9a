/** `npm run drill -- NAME`: plays what an operator hopes never to need, against the deployed bundle in workerd. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { bundle, readBundle } from "../lab/bundle.ts";
import { BUNDLES } from "../lab/bundles.ts";
import { command, Stop } from "../scripts/command-line.ts";
import { migrate } from "./migrate.ts";
import { restore } from "./restore/restore.ts";
import { rollBack } from "./roll-back.ts";
import { secrets } from "./secrets.ts";
import { type Bundles, type Drill, Stage } from "./stage.ts";

// Secrets are the drills' own, not those of .dev.vars, which wrangler would mention.
process.env["WRANGLER_LOG"] ??= "warn";

const DRILLS: Readonly<Record<string, Drill>> = { restore, secrets, "roll-back": rollBack, migrate };

const HELP = `Drills what docs/drills.md tells operators, here, with stores of its own:

${Object.entries(DRILLS)
	.map(([name, { about }]) => `  npm run drill -- ${name.padEnd(9)}  ${about}`)
	.join("\n")}
  npm run drills                all of them

It says what it does and sees, and exits with 1 where something does not hold.`;

await command(
	HELP,
	{ all: { type: "boolean", default: false } },
	async ({ values: { all }, positionals }) => {
		const names = all ? Object.keys(DRILLS) : positionals;
		const unknown = names.find((name) => !Object.hasOwn(DRILLS, name));
		if (names.length === 0 || unknown !== undefined)
			throw new Stop(`${unknown === undefined ? "Which drill?" : `There is no drill "${unknown}".`}\n\n${HELP}`);
		const bundles = await build();
		let failures = 0;
		for (const name of names) failures += (await hold(name, bundles)) ? 0 : 1;
		return failures > 0 ? 1 : 0;
	},
	true,
);

async function build(): Promise<Bundles> {
	const directory = mkdtempSync(path.join(tmpdir(), "edge-runs-drill-"));
	try {
		return { ours: await bundle(BUNDLES.ours.config, directory), "version 1": readBundle(BUNDLES["version 1"].entry) };
	} finally {
		rmSync(directory, { recursive: true, force: true });
	}
}

/** @returns whether the drill holds */
async function hold(name: string, bundles: Bundles): Promise<boolean> {
	const { about, run } = DRILLS[name] as Drill;
	console.log(`Drill "${name}": ${about}`);
	const stage = new Stage(bundles, console.log);
	const start = Date.now();
	try {
		await run(stage);
		stage.noBugs();
		console.log(`\n  It held. ${Math.round((Date.now() - start) / 1000)} s\n`);
		return true;
	} catch (error) {
		console.error(`\n  It did NOT hold: ${(error as Error).stack}\n`);
		return false;
	} finally {
		await stage.end();
	}
}
