import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, expect, it } from "vitest";

/*
 * The documents' examples, compiled with the real engines' types and the package's.
 */

const documents = path.join(import.meta.dirname, "../../docs/engines");
const engines = readdirSync(documents)
	.filter((file) => file !== "README.md")
	.map((file) => file.replace(/\.md$/, ""));
const folder = path.join(import.meta.dirname, "../examples");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const examplesOf = (engine: string) =>
	[...readFileSync(path.join(documents, `${engine}.md`), "utf8").matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(
		([, code]) => code as string,
	);

/** What the examples leave to the reader, by the engine. */
const AROUND: Record<string, string> = {
	"ag-ui": `declare const agent: import("@ag-ui/client").AbstractAgent;
		declare const events: AsyncIterable<import("@ag-ui/core").BaseEvent>; declare function send(event: unknown): void;`,
	"ai-sdk": `import { generateText } from "ai";
		declare const model: import("ai").LanguageModel; declare const tools: import("ai").ToolSet; declare const prompt: string;`,
	"cloudflare-workflows": `import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from "cloudflare:workers";
		interface Params { chatId: string; userId: string }
		interface Env { RUNS: import("edge-runs/recorder").RecorderBinding; RESEARCH: Workflow<Params> }
		export interface Research { research(event: WorkflowEvent<Params>, step: WorkflowStep): Promise<string> }
		declare const env: Env;`,
	inngest: "",
	langgraph: `declare const graph: import("@langchain/langgraph").CompiledStateGraph<{ a: string }, { a?: string }, "n">;
		declare const input: { a: string };`,
	mastra: `import { createStep, createWorkflow } from "@mastra/core/workflows"; import { z } from "zod";
		const inputSchema = z.object({}), outputSchema = z.object({}), inputData = {};
		const plan = createStep({ id: "plan", inputSchema, outputSchema, execute: async () => ({}) });`,
	workflow: "declare function research(topic: string): Promise<string>; declare const topic: string;",
};
const ALWAYS = "declare const chatId: string, userId: string;";
const RECORDER = `declare const recorder: import("edge-runs/recorder").Recorder;`;

it("every engine has a page, and every page an example of ten lines at the most", () => {
	expect(Object.keys(AROUND).sort()).toEqual(engines.sort());
	for (const engine of engines) {
		const [first = ""] = examplesOf(engine);
		expect(first).toContain(`from "edge-runs/engines/${engine}"`);
		const lines = first.split("\n").filter((line) => line.trim() !== "");
		expect(lines.length, engine).toBeLessThanOrEqual(10);
	}
});

it("every example compiles, with the engine's own types", () => {
	mkdirSync(folder, { recursive: true });
	for (const engine of engines) {
		for (const [index, code] of examplesOf(engine).entries()) {
			const around = AROUND[engine] as string;
			// Imports of an example come first, and what it does not declare itself is declared for it.
			const missing = [
				ALWAYS,
				...(/\b(const|let) recorder\b/.test(code) || !/\brecorder\b/.test(code) ? [] : [RECORDER]),
			];
			writeFileSync(
				path.join(folder, `${engine}-${index}.ts`),
				`${around}\n${missing.join("\n")}\n${code}\nexport {};\n`,
			);
		}
	}
	const options = { noImplicitAny: false, noUnusedLocals: false, types: ["node", "@cloudflare/workers-types"] };
	const config = { extends: "../tsconfig.json", compilerOptions: options, include: ["."] };
	writeFileSync(path.join(folder, "tsconfig.json"), JSON.stringify(config));
	const tsc = path.join(import.meta.dirname, "../../node_modules/typescript/bin/tsc");
	const { status, stdout } = spawnSync(process.execPath, [tsc, "-p", folder], { encoding: "utf8" });
	expect(stdout).toBe("");
	expect(status).toBe(0);
});
