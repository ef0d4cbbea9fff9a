/**
 * `npm run fuzz`: sends random requests to the service in workerd with real stores, until an answer is wrong.
 * `test/workerd/hold/fuzz.test.ts` holds the checks.
 *
 * Options: `--seconds N` (default 60), `--seed N` (the same requests again; a failure prints its own).
 */
import { spawn } from "node:child_process";
import path from "node:path";
import { parseArgs } from "node:util";

const { values } = parseArgs({ options: { seconds: { type: "string", default: "60" }, seed: { type: "string" } } });
const { seconds, seed = String(Math.floor(Math.random() * 0x7fffffff)) } = values;
for (const [name, value] of Object.entries({ seconds, seed })) {
	if (/^[1-9]\d*$/.test(value)) continue;
	console.error(`--${name} takes a whole number, not "${value}"`);
	process.exit(2);
}

const root = path.dirname(import.meta.dirname);
const vitest = path.join(root, "node_modules/vitest/vitest.mjs");
const options = ["run", "--project", "workerd", "test/workerd/hold/fuzz.test.ts"];
const env = { ...process.env, FUZZ_SECONDS: seconds, FUZZ_SEED: seed };
const child = spawn(process.execPath, [vitest, ...options], { cwd: root, env, stdio: "inherit" });
child.on("close", (code) => process.exit(code ?? 1));
