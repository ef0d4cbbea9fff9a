import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { buildSync } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readText, root, temporaryFolder } from "./dev-server.ts";
import { startService, TOKEN } from "./harness.ts";

/*
 * The package as others get it: packed, and installed into a project of its own outside the repository.
 */

const { folder, remove } = temporaryFolder();
const { version } = JSON.parse(readText("packages/edge-runs/package.json")) as { version: string };
const tarball = `edge-runs-${version}.tgz`;
let service: Awaited<ReturnType<typeof startService>>;

function run(command: string, ...args: string[]) {
	const { status, stdout, stderr } = spawnSync(command, args, { cwd: folder, encoding: "utf8" });
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
	service = await startService();
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
		expect(foreignImports("recorder.js")).toEqual([]);
		expect(foreignImports("react.js")).toEqual(["react"]);
	});

	it("is small: client and hooks, with all that they need but React", () => {
		const sizes = ["client", "react"].map((name) => {
			const { outputFiles } = buildSync({
				entryPoints: [path.join(folder, "node_modules/edge-runs/dist", `${name}.js`)],
				bundle: true,
				minify: true,
				format: "esm",
				target: "es2022",
				external: ["react"],
				write: false,
				logLevel: "error",
			});
			return gzipSync(outputFiles[0]?.contents ?? "", { level: 9 }).length;
		});
		expect(sizes[0]).toBeLessThan(6 * 1024);
		expect(sizes[1]).toBeLessThan(6 * 1024);
	});

	it("is packed as tools expect it: publint and arethetypeswrong have no complaint", () => {
		expect(runTool("publint/src/cli.js", tarball, "--strict")).toMatchObject({ status: 0 });
		// ESM alone: CommonJS loads it by `import()`, or in Node 22 and later by `require`.
		const checked = runTool("@arethetypeswrong/cli/dist/index.js", tarball, "--profile", "esm-only");
		expect(checked.status, checked.output).toBe(0);
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

	it.each(["Bundler", "NodeNext"])(
		"has types that the documented examples compile with, resolved as %s",
		(resolution) => {
			const blocks = [...readText("docs/client.md").matchAll(/```tsx?\n([\s\S]*?)```/g)].map(
				([, text]) => text as string,
			);
			const files = blocks.map((text, index) => {
				writeFileSync(path.join(folder, `example-${index}.tsx`), text);
				return `example-${index}.tsx`;
			});
			expect(files.length).toBeGreaterThan(2);
			const compilerOptions = {
				strict: true,
				noEmit: true,
				exactOptionalPropertyTypes: true,
				jsx: "react-jsx",
				target: "ES2022",
				module: resolution === "Bundler" ? "ESNext" : "NodeNext",
				moduleResolution: resolution,
				lib: ["ES2024", "DOM"],
				types: [],
			};
			writeFileSync(path.join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
			expect(runTool("typescript/bin/tsc", "-p", ".").output).toBe("");
		},
	);
});
