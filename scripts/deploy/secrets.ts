import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { ConfigurationError, operatorTokens, readTokenSecrets, sessionSecrets, tokens } from "../../src/env-values.ts";
import { Stop } from "../command-line.ts";
import { root, wrangler } from "../wrangler.ts";
import type { Environment } from "./environment.ts";

interface Secret {
	readonly name: string;
	readonly about: string;
	/** Throws where the Worker would not take a value, and then answer nobody. `others` are set with it. */
	readonly check: (value: string, others: Readonly<Record<string, string>>) => unknown;
	/** What a person is asked, where somebody else may have made the secret already. Others are made up. */
	readonly question?: string;
}

/** Every secret of `src/env.ts` that a new deployment needs. */
export const SECRETS: readonly Secret[] = [
	{
		name: "BETTER_AUTH_SECRET",
		about: "verifies session cookies",
		check: sessionSecrets,
		question:
			"BETTER_AUTH_SECRET of your better-auth deployment, at least 32 characters.\nPress Enter if there is none yet: one is made up, and better-auth must get the same.\n> ",
	},
	{
		name: "RECORDER_TOKENS",
		about: "what your engines show to record runs",
		check: (value) => tokens("RECORDER_TOKENS", value),
	},
	{
		name: "OPERATOR_TOKENS",
		about: "what you show to look at, export and erase a person's data",
		check: (value, others) => operatorTokens(value, others["RECORDER_TOKENS"]),
	},
	{ name: "READ_TOKEN_SECRET", about: "signs read tokens, for apps without better-auth", check: readTokenSecrets },
];

const makeUp = () => randomBytes(32).toString("hex");

/**
 * The names of the secrets that a Worker has; none if it does not exist.
 * @throws {Stop} if wrangler has no account, or its token may not tell
 */
export async function namesOfSecrets({ option }: Environment): Promise<Set<string>> {
	const { code, stdout, stderr } = await wrangler(["secret", "list", "--format=json", option]);
	if (code === 0) return new Set((JSON.parse(stdout) as { name: string }[]).map(({ name }) => name));
	const said = (stderr || stdout).trim();
	// Cloudflare's code for a Worker that is not there.
	if (/10007/.test(said)) return new Set();
	throw new Stop(`${said}\n\nwrangler needs your account. Sign in first: npx wrangler login`);
}

/**
 * Sets the secrets that are missing: from the environment's variables, from the person at the terminal, or made up.
 * Those that were made up are kept in a file for their owner, as nobody can read them from Cloudflare again.
 * @throws {Stop} if one is needed that only a person can give, and nobody is at the terminal
 */
export async function setUp(environment: Environment, known: ReadonlySet<string>): Promise<void> {
	const missing = SECRETS.filter(({ name }) => !known.has(name));
	for (const { name } of SECRETS.filter((secret) => !missing.includes(secret)))
		console.log(
			`${name} is set already, and stays. To change it: npx wrangler secret put ${name} ${environment.option}`,
		);
	if (missing.length === 0) return;
	const values: Record<string, string> = {};
	const madeUp: string[] = [];
	for (const secret of missing) {
		const given = process.env[secret.name] || (secret.question && (await ask(secret.name, secret.question)));
		if (given) check(secret, given, values);
		else madeUp.push(secret.name);
		values[secret.name] = given || makeUp();
	}
	// Kept before it is set: a secret that is set and lost would have to be made again.
	const file = madeUp.length > 0 ? keep(environment, madeUp, values) : null;
	const { code, stdout, stderr } = await wrangler(["secret", "bulk", environment.option], {
		input: JSON.stringify(values),
	});
	if (code !== 0) throw new Stop(`${(stdout + stderr).trim()}\n\nNo secret was set.`);
	console.log(`Set in ${environment.worker}: ${Object.keys(values).join(", ")}.`);
	if (file)
		console.log(
			`Made up and kept in ${file}: ${madeUp.join(", ")}. Move ${madeUp.length > 1 ? "them" : "it"} to where your secrets are, and delete the file.`,
		);
	if (madeUp.includes("BETTER_AUTH_SECRET"))
		console.log(
			"Give BETTER_AUTH_SECRET to better-auth's deployment, too: cookies are signed there and verified here.",
		);
}

/** @throws {Stop} if the Worker would not take the value */
function check(secret: Secret, value: string, others: Readonly<Record<string, string>>): void {
	try {
		secret.check(value, others);
	} catch (error) {
		throw error instanceof ConfigurationError ? new Stop(`${error.message}. No secret was set.`) : error;
	}
}

/** What `setUp` would do, for people. */
export function describeSetUp(environment: Environment): string {
	const rows = SECRETS.map(({ name, about, question }) => {
		const from = question ? "the environment's, else asked for" : "the environment's, else made up";
		return `  ${name.padEnd(20)} ${about} (${from})`;
	});
	return `In the Worker ${environment.worker} this would set, where it is not set yet:\n${rows.join("\n")}`;
}

function keep({ label }: Environment, names: readonly string[], values: Record<string, string>): string {
	const file = `.secrets.${label}`;
	const before = existsSync(path.join(root, file)) ? readFileSync(path.join(root, file), "utf8") : "";
	const lines = names.map((name) => `${name}=${values[name]}\n`);
	writeFileSync(path.join(root, file), before + lines.join(""), { mode: 0o600 });
	return file;
}

/** Asks without showing what is typed. */
async function ask(name: string, question: string): Promise<string> {
	if (!process.stdin.isTTY) throw new Stop(`Nobody is here to ask: set ${name} in the environment.`);
	process.stdout.write(question);
	const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
	const terminal = createInterface({ input: process.stdin, output: silent, terminal: true });
	try {
		return (await terminal.question("")).trim();
	} finally {
		terminal.close();
		process.stdout.write("\n");
	}
}
