/** `npm run fuzz`: what is checked stands in `test/workerd/hold/fuzz.test.ts`. */
import { spawn } from "node:child_process";
import path from "node:path";
import { command, wholeNumber } from "./command-line.ts";
import { root } from "./wrangler.ts";

const HELP = `Sends requests made up at random to the service in workerd, with real stores, until one is answered as none may be:

  npm run fuzz

  --seconds N   60 unless given
  --seed N      the same requests again; a failure prints its own
  --help        says this`;

const OPTIONS = { seconds: { type: "string", default: "60" }, seed: { type: "string" } } as const;

await command(HELP, OPTIONS, ({ values }) => {
	const seconds = wholeNumber("--seconds", values.seconds);
	const seed = wholeNumber("--seed", values.seed ?? String(1 + Math.floor(Math.random() * 0x7ffffffe)));
	const vitest = path.join(root, "node_modules/vitest/vitest.mjs");
	const args = ["run", "--project", "workerd", "test/workerd/hold/fuzz.test.ts"];
	const env = { ...process.env, FUZZ_SECONDS: String(seconds), FUZZ_SEED: String(seed) };
	const child = spawn(process.execPath, [vitest, ...args], { cwd: root, env, stdio: "inherit" });
	return new Promise<number>((resolve) => {
		child.on("close", (code) => resolve(code ?? 1));
	});
});
