import { spawn } from "node:child_process";
import { root, wranglerEnv } from "../scripts/wrangler.ts";

/**
 * Runs one of the project's npm scripts, as an operator does.
 * @param env what its environment has beside this one's
 * @throws if it fails, with what it printed
 */
export async function npmRun(script: string, env: Readonly<Record<string, string>>): Promise<void> {
	const child = spawn("npm", ["run", script], { cwd: root, env: { ...wranglerEnv(), ...env }, stdio: "pipe" });
	let printed = "";
	for (const stream of [child.stdout, child.stderr]) {
		stream.on("data", (chunk) => {
			printed += chunk;
		});
	}
	const code = await new Promise<number | null>((resolve, reject) => {
		child.once("error", reject);
		child.once("close", resolve);
	});
	if (code !== 0) throw new Error(`npm run ${script} ended with ${code}:\n${printed}`);
}
