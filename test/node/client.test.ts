import { spawnSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readText, root, temporaryFolder } from "./dev-server.ts";
import { startService, TOKEN } from "./harness.ts";

const { folder, remove } = temporaryFolder();
let service: Awaited<ReturnType<typeof startService>>;

function run(command: string, ...args: string[]) {
	const { status, stdout, stderr } = spawnSync(command, args, { cwd: folder, encoding: "utf8" });
	return { status, output: stdout + stderr };
}

beforeAll(async () => {
	// As `npm pack` and `npm install` of the tarball would lay it out.
	const packed = spawnSync("npm", ["pack", "--pack-destination", folder], { cwd: root, encoding: "utf8" });
	expect(packed.status, packed.stderr).toBe(0);
	const home = path.join(folder, "node_modules/edge-runs");
	mkdirSync(home, { recursive: true });
	expect(run("tar", "-xzf", "edge-runs-0.2.0.tgz", "-C", home, "--strip-components=1").output).toBe("");
	for (const dependency of ["hono", "@types/react", "csstype"]) {
		mkdirSync(path.dirname(path.join(folder, "node_modules", dependency)), { recursive: true });
		symlinkSync(path.join(root, "node_modules", dependency), path.join(folder, "node_modules", dependency));
	}
	service = await startService();
});
afterAll(async () => {
	await service.server.close();
	remove();
});

describe("the packed client", () => {
	it("holds the client and its declarations alone", () => {
		const { output } = run("tar", "-tzf", "edge-runs-0.2.0.tgz");
		const files = output.trim().split("\n");
		expect(files).toContain("package/dist/client.js");
		expect(
			files.filter(
				(file) => !/^package\/(dist\/(client\.js|types\/.*\.d\.ts)|package\.json|README\.md|LICENSE)$/.test(file),
			),
		).toEqual([]);
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
		"has types that the documented example compiles with, resolved as %s",
		(moduleResolution) => {
			const [, example] = /```tsx\n([\s\S]*?)```/.exec(readText("docs/client.md")) as RegExpExecArray;
			writeFileSync(path.join(folder, "example.tsx"), example as string);
			const compilerOptions = {
				strict: true,
				noEmit: true,
				exactOptionalPropertyTypes: true,
				jsx: "react-jsx",
				target: "ES2022",
				module: moduleResolution === "Bundler" ? "ESNext" : "NodeNext",
				moduleResolution,
				lib: ["ES2024", "DOM", "DOM.AsyncIterable"],
				types: [],
			};
			writeFileSync(path.join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["example.tsx"] }));
			writeFileSync(path.join(folder, "package.json"), '{"type":"module"}');
			expect(run(process.execPath, path.join(root, "node_modules/typescript/bin/tsc"), "-p", ".").output).toBe("");
		},
	);
});
