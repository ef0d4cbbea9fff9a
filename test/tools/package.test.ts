import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { buildSync } from "esbuild";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { readText, root, temporaryFolder } from "../node/dev-server.ts";
import { fencedBlocks } from "../node/documents.ts";
import { startService, TOKEN } from "../node/harness.ts";

/*
 * The package as others get it: packed, and installed into a project of its own outside the repository.
 */

const { folder, remove } = temporaryFolder();
const { version } = JSON.parse(readText("packages/edge-runs/package.json")) as { version: string };
const tarball = `edge-runs-${version}.tgz`;
let service: Awaited<ReturnType<typeof startService>>;

function run(command: string, ...args: string[]) {
	const { status, stdout, stderr } = spawnSync(command, args, {
		cwd: folder,
		encoding: "utf8",
		env: { ...process.env, RECORDER_TOKEN: TOKEN },
	});
	return { status, output: stdout + stderr };
}

/** The packages that a file of the package imports, itself or by what it imports. */
function foreignImports(file: string): string[] {
	const seen = new Set<string>();
	const foreign = new Set<string>();
	const visit = (name: string) => {
		if (seen.has(name)) return;
		seen.add(name);
		const text = readFileSync(path.join(folder, "node_modules/edge-runs/dist", name), "utf8");
		for (const [, from] of text.matchAll(/^(?:import|export)\b[^;"]*"([^"]+)"/gm)) {
			if (from?.startsWith(".")) visit(path.join(path.dirname(name), from));
			else foreign.add(from as string);
		}
	};
	visit(file);
	return [...foreign].sort();
}

/** What the documents show of the recorder, with what an engine of one's own would have. */
const [recorderExample, workerExample] = ["function answer(", "export default"].map((part) =>
	fencedBlocks(readText("docs/recording.md"), "ts").find((block) => block.includes(part)),
) as [string, string];
const ENGINE = `
	const fetchSources = async (question: string) => [question];
	const write = async (question: string, sources: string[]) => question + sources.length;`;

/** A command line tool of the repository's. */
const runTool = (file: string, ...args: string[]) =>
	run(process.execPath, path.join(root, "node_modules", file), ...args);

beforeAll(async () => {
	const packed = spawnSync("npm", ["pack", "-w", "edge-runs", "--pack-destination", folder], {
		cwd: root,
		encoding: "utf8",
	});
	expect(packed.status, packed.stderr).toBe(0);
	// What the examples need comes from here, so that the test needs no registry.
	const from = (name: string) => `file:${path.join(root, "node_modules", name)}`;
	const dependencies = { "edge-runs": `file:${tarball}`, react: from("react") };
	const devDependencies = { "@types/react": from("@types/react"), csstype: from("csstype") };
	writeFileSync(
		path.join(folder, "package.json"),
		JSON.stringify({ private: true, type: "module", dependencies, devDependencies }),
	);
	const installed = run("npm", "install", "--offline", "--no-audit", "--no-fund");
	expect(installed.status, installed.output).toBe(0);
	// Linked, not installed: npm (11.19) fails at peers of packages that it would link.
	for (const name of ["@types/node", "undici-types", "@cloudflare/workers-types"]) {
		const link = path.join(folder, "node_modules", name);
		mkdirSync(path.dirname(link), { recursive: true });
		symlinkSync(path.join(root, "node_modules", name), link);
	}
	writeFileSync(path.join(folder, "worker.ts"), workerExample);
	const services = [{ binding: "RUNS", service: "edge-runs", entrypoint: "WorkflowRunRecorder" }];
	const main = path.join(folder, "worker.ts");
	service = await startService({ config: { name: "engine", main, compatibility_date: "2026-10-23", services } });
});
afterAll(async () => {
	await service.server.close();
	remove();
});

describe("the packed package", () => {
	it("holds JavaScript and declarations alone, and none of the server's", () => {
		const { output } = run("tar", "-tzf", tarball);
		const files = output.trim().split("\n");
		expect(files).toContain("package/dist/client.js");
		const allowed = /^package\/(dist\/[\w/-]+\.(js|d\.ts)|package\.json|README\.md|LICENSE)$/;
		expect(files.filter((file) => !allowed.test(file))).toEqual([]);
		const sources = files
			.filter((file) => /\.(js|d\.ts)$/.test(file))
			.map((file) => readFileSync(path.join(folder, "node_modules/edge-runs", file.slice("package/".length)), "utf8"));
		expect(sources.filter((text) => /\b(hono|zod|drizzle|D1Database|KVNamespace)\b/.test(text))).toEqual([]);
	});

	it("installs nothing else, and imports nothing but the optional peers that an export is for", () => {
		const { packages } = JSON.parse(readFileSync(path.join(folder, "package-lock.json"), "utf8")) as {
			packages: Record<string, { dependencies?: object; peerDependencies: object; peerDependenciesMeta: object }>;
		};
		const own = packages["node_modules/edge-runs"];
		expect(own?.dependencies).toBeUndefined();
		expect(Object.keys(own?.peerDependenciesMeta ?? {})).toEqual(Object.keys(own?.peerDependencies ?? {}));
		expect(foreignImports("client.js")).toEqual([]);
		expect(foreignImports("element.js")).toEqual([]);
		expect(foreignImports("recorder.js")).toEqual([]);
		expect(foreignImports("react.js")).toEqual(["react"]);
	});

	it("is small: client, hooks, element and recorder, with all that they need but React", () => {
		const sizeOf = (contents: string, ...elsewhere: string[]) => {
			const { outputFiles } = buildSync({
				stdin: { contents, resolveDir: path.join(folder, "node_modules/edge-runs/dist") },
				bundle: true,
				minify: true,
				format: "esm",
				target: "es2022",
				external: ["react", ...elsewhere],
				write: false,
				logLevel: "error",
			});
			return gzipSync(outputFiles[0]?.contents ?? "", { level: 9 }).length;
		};
		expect(sizeOf('export * from "./client.js"')).toBeLessThan(6 * 1024);
		const hooks = "EdgeRunsProvider, EdgeRunsError, useWorkflowRuns, useWorkflowRun, useActiveRuns";
		// <WorkflowRuns> imports the element once it is shown: a bundler makes a file of its own of it.
		expect(sizeOf(`export { ${hooks} } from "./react.js"`, "./element.js")).toBeLessThan(6 * 1024);
		expect(sizeOf('export * from "./recorder.js"')).toBeLessThan(12 * 1024);
		expect(sizeOf('export * from "./element.js"')).toBeLessThan(20 * 1024);
	});

	it("is packed as tools expect it: publint and arethetypeswrong have no complaint", () => {
		expect(runTool("publint/src/cli.js", tarball, "--strict")).toMatchObject({ status: 0 });
		// ESM alone: CommonJS loads it by `import()`, or in Node 22 and later by `require`.
		const checked = runTool("@arethetypeswrong/cli/dist/index.js", tarball, "--profile", "esm-only");
		expect(checked.status, checked.output).toBe(0);
	});

	it("has an element that a server may import, where there are none", () => {
		writeFileSync(
			path.join(folder, "element.mjs"),
			`import { WorkflowRunsElement } from "edge-runs/element"; console.log(typeof WorkflowRunsElement);`,
		);
		expect(run(process.execPath, "element.mjs")).toEqual({ status: 0, output: "function\n" });
	});

	it("records, lists and refuses in plain Node", () => {
		writeFileSync(
			path.join(folder, "use.mjs"),
			`import { createClient, EdgeRunsError } from "edge-runs/client";
			const client = createClient(${JSON.stringify(service.url)}, { headers: { authorization: "Bearer ${TOKEN}" } });
			const [chatId, runId, workflowId] = [1, 2, 3].map(() => crypto.randomUUID());
			await client.registerChat(chatId, "user");
			const { workflowRun } = await client.recordWorkflowRun(chatId, runId, { workflowId, status: "running" });
			const refused = await client.listWorkflowRuns(chatId).catch((error) => error);
			console.log(workflowRun.status, refused instanceof EdgeRunsError, refused.code);`,
		);
		expect(run(process.execPath, "use.mjs")).toEqual({ status: 0, output: "running true INVALID_SESSION\n" });
	});

	it("records by the documented ten lines in plain Node, and ends when all is sent", async () => {
		expect(recorderExample.trim().split("\n").length).toBeLessThanOrEqual(12);
		const example = recorderExample.replace("https://YOUR-WORKER", service.url);
		writeFileSync(
			path.join(folder, "record.ts"),
			`${example}${ENGINE}\nconsole.log(await answer("thread 2", "reader", "Why?"));`,
		);
		expect(run(process.execPath, "record.ts")).toEqual({ status: 0, output: "Why?1\n" });
		expect(await runsOf("reader")).toEqual([
			{ status: "completed", steps: ["Fetch sources completed", "Write completed"] },
		]);
	});

	it("records from another Worker over its service binding", async () => {
		const response = await service.server.getWorker("engine").fetch("http://engine.test/");
		expect(await response.text()).toBe("An answer");
		await vi.waitFor(
			async () => expect(await runsOf("demo-user")).toEqual([{ status: "completed", steps: ["Write completed"] }]),
			{ timeout: 10_000 },
		);
	});

	/** A user's runs, as D1 has them. */
	async function runsOf(user: string) {
		const { results } = await service.DB.prepare(
			`select status, steps from workflow_runs where chat_id in (select id from chats where user_id = '${user}')`,
		).all<{ status: string; steps: string }>();
		return results.map(({ status, steps }) => ({
			status,
			steps: (JSON.parse(steps) as { name: string; status: string }[]).map(({ name, status }) => `${name} ${status}`),
		}));
	}

	const clientExamples = ["ts", "tsx"].flatMap((language) => fencedBlocks(readText("docs/client.md"), language));
	const inBrowsers = { lib: ["ES2024", "DOM"], types: [] as string[], jsx: "react-jsx" };
	it.each([
		["client", clientExamples, inBrowsers],
		["recorder", [recorderExample + ENGINE], { lib: ["ES2022"], types: ["node"] }],
		["Worker", [workerExample], { lib: ["ES2022"], types: ["@cloudflare/workers-types"] }],
	])("has types that the documented %s compiles with, resolved as Bundler and as NodeNext", (_, texts, options) => {
		expect(texts.length).toBeGreaterThan(0);
		const files = texts.map((text, index) => {
			writeFileSync(path.join(folder, `example-${index}.tsx`), text);
			return `example-${index}.tsx`;
		});
		for (const resolution of ["Bundler", "NodeNext"]) {
			const compilerOptions = {
				strict: true,
				noEmit: true,
				exactOptionalPropertyTypes: true,
				target: "ES2022",
				module: resolution === "Bundler" ? "ESNext" : "NodeNext",
				moduleResolution: resolution,
				...options,
			};
			writeFileSync(path.join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
			expect(runTool("typescript/bin/tsc", "-p", ".").output, resolution).toBe("");
		}
	});
});
