import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { ERRORS } from "../../src/errors.ts";
import { readExample } from "../fixtures/contract.ts";
import { readText, root } from "./dev-server.ts";

const readme = readText("README.md");

describe("the README", () => {
	it("shows the contract's own command and answer", () => {
		const { curl, json } = readExample(readText("test/fixtures/contract.txt"));
		expect(readme).toContain(curl);
		const answers = [...readme.matchAll(/```json\n([\s\S]*?)```/g)].map(([, text]) => JSON.parse(text as string));
		const expected = JSON.parse(json);
		const ids = { id: expect.any(String), workflowId: expect.any(String) };
		expected.data.workflowRuns[0] = { ...expected.data.workflowRuns[0], ...ids };
		expect(answers[0]).toEqual(expected);
	});

	it("connects better-auth with the code that the interop test runs", () => {
		expect(readme).toContain(`\`\`\`ts\n${readText("test/fixtures/kv-storage.ts")}\`\`\``);
	});

	it("binds the recorder as the tests' engine does", () => {
		const binding = readText("test/fixtures/engine/wrangler.toml").split("\n\n")[1];
		expect(binding).toContain("WorkflowRunRecorder");
		expect(readme).toContain(`\`\`\`toml\n${binding}\`\`\``);
	});

	it("lists every error with its status", () => {
		const rows = Object.entries(ERRORS).map(([code, { status, error }]) => `| ${status} ${error} | \`${code}\` |`);
		expect(rows.filter((row) => !readme.includes(row))).toEqual([]);
	});

	it("lists every variable and binding", () => {
		const names = [...readText("src/env.ts").matchAll(/^\treadonly ([A-Z][A-Z0-9_]+)\??:/gm)].map(([, name]) => name);
		expect(names.length).toBeGreaterThan(3);
		expect(names.filter((name) => !readme.includes(`| \`${name}\` |`))).toEqual([]);
	});

	it("lists every event of the log, and every field of a request's line", () => {
		const sources = readdirSync(path.join(root, "src"), { recursive: true, encoding: "utf8" })
			.filter((file) => /\.tsx?$/.test(file) && !/client\//.test(file))
			.map((file) => readText(`src/${file}`));
		const logged = sources.flatMap((text) => [...text.matchAll(/requestId[^\n]*\n?\s*event: "([\w ]+)"/g)]);
		const events = new Set(logged.map(([, event]) => event));
		expect(events.size).toBeGreaterThan(7);
		expect([...events].filter((event) => !readme.includes(`| \`${event}\` |`))).toEqual([]);
		const facts = [...readText("src/scope.ts").matchAll(/^\t(\w+)\?: /gm)].map(([, name]) => name);
		expect(facts.length).toBeGreaterThan(3);
		expect(facts.filter((name) => !readme.includes(`"${name}": `))).toEqual([]);
	});

	it("names scripts and files that are there", () => {
		const { scripts } = JSON.parse(readText("package.json")) as { scripts: Record<string, string> };
		for (const [, name] of readme.matchAll(/npm run ([\w:]+)/g)) expect(scripts).toHaveProperty([name as string]);
		const layout = /## Project layout\n\n```\n([\s\S]*?)```/.exec(readme)?.[1] as string;
		let folder = "";
		for (const [, indent, name] of layout.matchAll(/^( *)(\S+?)\/? {2,}/gm)) {
			if (!indent) folder = name as string;
			const file = path.join(root, indent ? `src/${name}` : (name as string));
			expect(existsSync(file), `${folder}: ${file}`).toBe(true);
		}
	});
});
