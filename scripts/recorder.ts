import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { parseEnv } from "node:util";
import { Stop } from "./command-line.ts";

const LOCAL = ["localhost", "127.0.0.1", "[::1]"];

/** Checks the service's address. @throws {Stop} */
export function parseOrigin(url: string): URL {
	const parsed = URL.canParse(url) ? new URL(url) : null;
	if (!parsed || !/^https?:$/.test(parsed.protocol))
		throw new Stop(`--url takes an address such as https://runs.example.com, not "${url}".`);
	if (parsed.protocol === "http:" && !LOCAL.includes(parsed.hostname)) {
		throw new Stop(`--url ${url}: the service token would cross the network in clear. Use https.`);
	}
	return new URL(parsed.origin);
}

/**
 * The service token: the environment's RECORDER_TOKEN, or for a local service the first one in `.dev.vars`. It is never an
 * argument, since every user of the machine can read those in the list of processes.
 * @throws {Stop} if no token is set
 */
export function recorderToken(origin: URL): string {
	const given = process.env["RECORDER_TOKEN"]?.trim();
	if (given) return given;
	const file = path.join(path.dirname(import.meta.dirname), ".dev.vars");
	if (LOCAL.includes(origin.hostname) && existsSync(file)) {
		const token = parseEnv(readFileSync(file, "utf8"))["RECORDER_TOKENS"]?.split(",")[0]?.trim();
		if (token) return token;
	}
	throw new Stop(
		LOCAL.includes(origin.hostname)
			? "No service token: set RECORDER_TOKEN in the environment, or let `npm run dev` write .dev.vars."
			: "No service token: set RECORDER_TOKEN in the environment, to one of the service's RECORDER_TOKENS.",
	);
}
