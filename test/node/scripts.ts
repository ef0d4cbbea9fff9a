import { type ChildProcess, spawn } from "node:child_process";
import { type Ran, root } from "./dev-server.ts";
import { TOKEN } from "./harness.ts";

/** A script of the project under way, with the tests' service token. */
export interface Running {
	readonly child: ChildProcess;
	/** What it has printed so far, to both. */
	output(): string;
	readonly ended: Promise<Ran>;
}

export function startScript(
	script: string,
	args: readonly string[],
	{ input = "", token = TOKEN, env: more = {} as Record<string, string> } = {},
): Running {
	const env = { ...process.env, RECORDER_TOKEN: token, ...more };
	const child = spawn(process.execPath, [`scripts/${script}`, ...args], { cwd: root, env });
	let output = "";
	for (const stream of [child.stdout, child.stderr]) {
		stream.on("data", (chunk) => {
			output += chunk;
		});
	}
	child.stdin.on("error", () => {}); // It may end before it has read all.
	child.stdin.end(input);
	const ended = new Promise<Ran>((resolve) => child.once("close", (code) => resolve({ code, output })));
	return { child, output: () => output, ended };
}

export const runScript = (...args: Parameters<typeof startScript>) => startScript(...args).ended;
