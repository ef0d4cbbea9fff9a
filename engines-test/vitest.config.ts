import path from "node:path";
import { defineConfig } from "vitest/config";

// Keeps wrangler's own lines out of every run.
process.env["WRANGLER_LOG"] ??= "warn";

const source = path.resolve(import.meta.dirname, "../packages/edge-runs/src");

export default defineConfig({
	resolve: {
		alias: [
			{ find: "edge-runs/recorder", replacement: path.join(source, "recorder/index.ts") },
			{ find: /^edge-runs\/engines\/([\w-]+)$/, replacement: path.join(source, "engines/$1.ts") },
		],
	},
	test: {
		include: ["test/**/*.test.ts"],
		globalSetup: "test/global-setup.ts",
		testTimeout: 30_000,
		hookTimeout: 60_000,
		maxWorkers: 2,
	},
});
