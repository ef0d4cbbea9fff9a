import { workflow } from "@workflow/vitest";
import { defineConfig } from "vitest/config";

// Keeps wrangler's own lines out of every run.
process.env["WRANGLER_LOG"] ??= "warn";

const shared = { testTimeout: 30_000, hookTimeout: 60_000 };

export default defineConfig({
	test: {
		globalSetup: "test/global-setup.ts",
		maxWorkers: 2,
		// The Workflow SDK prints every error of a workflow, and here they fail on purpose.
		onConsoleLog: (log) => !log.startsWith("[Workflow]"),
		projects: [
			{
				test: { ...shared, name: "engines", include: ["test/**/*.test.ts"], exclude: ["test/workflow.test.ts"] },
			},
			{
				// The Workflow SDK compiles its workflows, which it finds in `workflows`.
				plugins: [workflow()],
				test: {
					...shared,
					name: "workflow",
					include: ["test/workflow.test.ts"],
				},
			},
		],
	},
});
