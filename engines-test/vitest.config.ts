import path from "node:path";
import { workflow } from "@workflow/vitest";
import { defineConfig } from "vitest/config";

// Keeps wrangler's own lines out of every run.
process.env["WRANGLER_LOG"] ??= "warn";

const source = path.resolve(import.meta.dirname, "../packages/edge-runs/src");
/** The package's exports, as its users import them. */
const resolve = {
	alias: [
		{ find: "edge-runs/recorder", replacement: path.join(source, "recorder/index.ts") },
		{ find: /^edge-runs\/engines\/([\w-]+)$/, replacement: path.join(source, "engines/$1.ts") },
	],
};
const shared = { testTimeout: 30_000, hookTimeout: 60_000 };

export default defineConfig({
	test: {
		globalSetup: "test/global-setup.ts",
		maxWorkers: 2,
		// The Workflow SDK prints every error of a workflow, and here they fail on purpose.
		onConsoleLog: (log) => !log.startsWith("[Workflow]"),
		projects: [
			{
				resolve,
				test: { ...shared, name: "engines", include: ["test/**/*.test.ts"], exclude: ["test/workflow.test.ts"] },
			},
			{
				// The Workflow SDK compiles its workflows, which it finds in `workflows`.
				plugins: [workflow()],
				resolve,
				test: {
					...shared,
					name: "workflow",
					include: ["test/workflow.test.ts"],
				},
			},
		],
	},
});
