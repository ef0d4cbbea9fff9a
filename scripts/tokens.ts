import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { parseEnv } from "node:util";
import { BEARER_TOKEN } from "../src/env-values.ts";
import { Stop } from "./command-line.ts";

const LOCAL = ["localhost", "127.0.0.1", "[::1]"];

/** Checks the service's address. @throws {Stop} */
export function parseOrigin(url: string): URL {
	const parsed = URL.canParse(url) ? new URL(url) : null;
	if (!parsed || !/^https?:$/.test(parsed.protocol))
		throw new Stop(`--url takes an address such as https://runs.example.com, not "${url}".`);
	if (parsed.protocol === "http:" && !LOCAL.includes(parsed.hostname)) {
		throw new Stop(`--url ${url}: the token would cross the network in clear. Use https.`);
	}
	return new URL(parsed.origin);
}

/** The service token for a service. @throws {Stop} if no token is set */
export const recorderToken = (origin: URL) => findToken(origin, "service", "RECORDER_TOKEN");

/** The operator token for a service. @throws {Stop} if no token is set */
export const operatorToken = (origin: URL) => findToken(origin, "operator", "OPERATOR_TOKEN");

/**
 * The environment's variable, or for a local service the first of the list in `.dev.vars`. It is never an argument, since
 * every user of the machine can read those in the list of processes.
 */
function findToken(origin: URL, kind: string, name: "RECORDER_TOKEN" | "OPERATOR_TOKEN"): string {
	const isLocal = LOCAL.includes(origin.hostname);
	const token = process.env[name]?.trim() || (isLocal && firstOfDevVars(`${name}S`));
	if (token && BEARER_TOKEN.test(token)) return token;
	if (token)
		throw new Stop(`${name} is not a token. It takes one of the service's ${name}S alone, without a comma or a space.`);
	throw new Stop(
		isLocal
			? `No ${kind} token: set ${name} in the environment, or let \`npm run dev\` write .dev.vars.`
			: `No ${kind} token: set ${name} in the environment, to one of the service's ${name}S.`,
	);
}

/** A secret of the service's: the environment's, else the local service's. @throws {Stop} if there is none */
export function findSecret(name: string): { secret: string; from: string } {
	const given = process.env[name]?.split(",")[0]?.trim();
	const secret = given || firstOfDevVars(name);
	if (secret) return { secret, from: given ? `${name} in the environment` : `${name} in .dev.vars` };
	throw new Stop(`No ${name}: set it in the environment, or let \`npm run dev\` write .dev.vars.`);
}

function firstOfDevVars(name: string): string | undefined {
	const file = path.join(path.dirname(import.meta.dirname), ".dev.vars");
	return existsSync(file) ? parseEnv(readFileSync(file, "utf8"))[name]?.split(",")[0]?.trim() : undefined;
}
