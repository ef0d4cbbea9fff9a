import { spawn } from "node:child_process";
import path from "node:path";

export const root = path.dirname(import.meta.dirname);

/** wrangler's own script: run by this Node, it needs no PATH. */
export const WRANGLER = path.join(root, "node_modules/wrangler/bin/wrangler.js");

/** wrangler's environment: no telemetry, no look for updates, and a build command that finds this very Node. */
export const wranglerEnv = (): NodeJS.ProcessEnv => ({
	...process.env,
	PATH: `${path.dirname(process.execPath)}${path.delimiter}${process.env["PATH"] ?? ""}`,
	WRANGLER_SEND_METRICS: "false",
	WRANGLER_HIDE_BANNER: "true",
});

export interface Ran {
	readonly code: number;
	/** What it printed to each, where that was not shown to the person in front of it. */
	readonly stdout: string;
	readonly stderr: string;
}

/**
 * Runs wrangler in this project's folder.
 * @param show whether it talks with the person at the terminal; else what it prints is returned
 * @param input its standard input, where it does not talk with a person
 */
export function wrangler(args: readonly string[], { show = false, input = "" } = {}): Promise<Ran> {
	const child = spawn(process.execPath, [WRANGLER, ...args], {
		cwd: root,
		// What is read and not shown must be there, however quiet the person likes it.
		env: { ...wranglerEnv(), ...(!show && { WRANGLER_LOG: "log" }) },
		stdio: show ? "inherit" : "pipe",
	});
	const printed = { stdout: "", stderr: "" };
	for (const name of ["stdout", "stderr"] as const) {
		child[name]?.setEncoding("utf8").on("data", (text: string) => {
			printed[name] += text;
		});
	}
	child.stdin?.on("error", () => {}); // It may end before it has read all.
	child.stdin?.end(input);
	return new Promise((resolve, reject) => {
		child.once("error", reject);
		child.once("close", (code) => resolve({ code: code ?? 1, ...printed }));
	});
}
