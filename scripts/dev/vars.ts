import { randomBytes } from "node:crypto";
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseEnv } from "node:util";
import { Stop } from "../command-line.ts";
import { root } from "../wrangler.ts";

/** The variables of `.dev.vars`. */
export type DevVars = Readonly<Record<string, string | undefined>> & { readonly BETTER_AUTH_SECRET: string };

/** What 0.1 wrote no secret for. */
const ADDED = ["OPERATOR_TOKENS", "READ_TOKEN_SECRET"];

/**
 * Writes `.dev.vars` with random secrets if it is not there, and adds those that a file of an older version lacks.
 * @returns what it holds
 */
export function ensureDevVars(): DevVars {
	const file = path.join(root, ".dev.vars");
	const random = () => randomBytes(32).toString("base64url");
	const read = () => parseEnv(readFileSync(file, "utf8"));
	if (!existsSync(file)) {
		const lines = [
			"# Secrets of local development, made at random.",
			`BETTER_AUTH_SECRET=${random()}`,
			`RECORDER_TOKENS=${random()}`,
			"",
		];
		writeFileSync(file, lines.join("\n"), { mode: 0o600 });
	}
	const known = read();
	for (const name of ADDED) if (known[name] === undefined) appendFileSync(file, `\n${name}=${random()}\n`);
	const { BETTER_AUTH_SECRET, ...others } = read();
	if (BETTER_AUTH_SECRET) return { ...others, BETTER_AUTH_SECRET };
	throw new Stop(
		`${path.basename(file)} has no BETTER_AUTH_SECRET. Add one (at least 32 characters), or delete the file and run this again.`,
	);
}
