import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import path from "node:path";
import { transform } from "esbuild";
import { describe, expect, it } from "vitest";
import { ERRORS } from "../../src/errors.ts";
import { ELSEWHERE, PASTED } from "./commands.ts";
import { readText, root } from "./dev-server.ts";
import { anchorsOf, commandsOf, DOCUMENTS, fencedBlocks, LINKING, relativeLinks } from "./documents.ts";

/** Each test that a document names: a file, and the tests' names behind it, in quotes, as they stand in the file. */
function namedTests(document: string): { file: string; name: string | null }[] {
	const named: { file: string; name: string | null }[] = [];
	for (const line of readText(document).split("\n")) {
		let file: string | undefined;
		for (const [, path, name] of line.matchAll(/`(test\/[\w./-]+\.ts)`|(?<=[`"],? )"([^"]+)"/g)) {
			file = path ?? file;
			if (file) named.push({ file, name: name ?? null });
		}
	}
	return named;
}

describe.each(["docs/faults.md", "docs/security.md"])("%s", (document) => {
	it("names tests that are there", () => {
		const named = namedTests(document);
		expect(named.filter(({ name }) => name !== null).length).toBeGreaterThan(10);
		const missing = named.filter(({ file, name }) => {
			if (!existsSync(path.join(root, file))) return true;
			return name !== null && !readText(file).includes(`"${name}"`);
		});
		expect(missing).toEqual([]);
	});
});

it("every fault has a test", () => {
	const rows = readText("docs/faults.md")
		.split("\n")
		.filter((line) => line.startsWith("| ") && !/^\| (Fault|---) /.test(line));
	expect(rows.length).toBeGreaterThan(25);
	expect(rows.filter((row) => !/`test\/[\w./-]+` "[^"]+" \|$/.test(row))).toEqual([]);
});

it("docs/api.md lists every error with its status", () => {
	const rows = Object.entries(ERRORS).map(([code, { status, error }]) => `| ${status} ${error} | \`${code}\` |`);
	expect(rows.filter((row) => !readText("docs/api.md").includes(row))).toEqual([]);
});

describe("docs/operating.md", () => {
	const operating = readText("docs/operating.md");

	it("connects better-auth with the code that the interop test runs", () => {
		expect(fencedBlocks(operating, "ts")).toContain(readText("test/fixtures/kv-storage.ts"));
	});

	it("lists every variable and binding", () => {
		const names = [...readText("src/env.ts").matchAll(/^\treadonly ([A-Z][A-Z0-9_]+)\??:/gm)].map(([, name]) => name);
		expect(names.length).toBeGreaterThan(3);
		expect(names.filter((name) => !operating.includes(`| \`${name}\` |`))).toEqual([]);
	});

	it("lists every event of the log, and every field of a request's line", () => {
		const sources = readdirSync(path.join(root, "src"), { recursive: true, encoding: "utf8" })
			.filter((file) => /\.tsx?$/.test(file) && !/(client|browser)\//.test(file))
			.map((file) => readText(`src/${file}`));
		const logged = sources.flatMap((text) => [...text.matchAll(/\blog(?:Info|Error)\([^{]*\{\s*event: "([\w ]+)"/g)]);
		const events = new Set(logged.map(([, event]) => event));
		expect(events.size).toBeGreaterThan(7);
		expect([...events].filter((event) => !operating.includes(`| \`${event}\` |`))).toEqual([]);
		const facts = [...readText("src/scope.ts").matchAll(/^\t(\w+)\?: /gm)].map(([, name]) => name);
		expect(facts.length).toBeGreaterThan(3);
		expect(facts.filter((name) => !operating.includes(`"${name}": `))).toEqual([]);
	});
});

it("docs/recording.md binds the recorder as the tests' engine does", () => {
	const binding = readText("test/fixtures/engine/wrangler.toml").split("\n\n")[1];
	expect(binding).toContain("WorkflowRunRecorder");
	expect(fencedBlocks(readText("docs/recording.md"), "toml")).toContain(binding);
});

it.each(["docs/client.md", "docs/recording.md", "docs/api.md", "docs/operating.md", "CONTRIBUTING.md"])(
	"%s begins with what one can do in five minutes",
	(document) => {
		expect(/^## (.+)$/m.exec(readText(document))?.[1]).toBe("In five minutes");
	},
);

describe("CONTRIBUTING.md's map", () => {
	const map = /## The map\n[\s\S]*?```\n([\s\S]*?)```/.exec(readText("CONTRIBUTING.md"))?.[1] as string;
	const named = [...map.matchAll(/^( *)(\S+?)\/? {2,}/gm)].map(([, indent, name]) => `${indent ? "src/" : ""}${name}`);

	it("names what is there", () => {
		expect(named.length).toBeGreaterThan(10);
		expect(named.filter((file) => !existsSync(path.join(root, file)))).toEqual([]);
	});

	it("names every folder", () => {
		const foldersIn = (folder: string) =>
			readdirSync(path.join(root, folder), { withFileTypes: true })
				.filter((entry) => entry.isDirectory() && !/^(\.|node_modules$|dist$)/.test(entry.name))
				.map((entry) => path.posix.join(folder, entry.name));
		const folders = ["", "src", "packages"].flatMap(foldersIn).filter((folder) => !/^(src|packages)$/.test(folder));
		expect(folders.filter((folder) => !named.includes(folder))).toEqual([]);
	});
});

describe("commands of the documents", () => {
	const commands = DOCUMENTS.flatMap(commandsOf);

	it("are pasted by dev.test.ts, run by another test, or cannot run in one", () => {
		const unknown = commands.filter(
			({ text, expected }) => !expected && !Object.hasOwn(ELSEWHERE, text) && !PASTED.some((form) => form.test(text)),
		);
		expect(unknown).toEqual([]);
	});

	it("of the list stand in a document, and in what runs them", () => {
		const texts = new Set(commands.map(({ text }) => text));
		expect(Object.keys(ELSEWHERE).filter((text) => !texts.has(text))).toEqual([]);
		for (const run of Object.values(ELSEWHERE)) if ("by" in run) expect(readText(run.by)).toContain(run.shows);
	});

	it("name npm scripts that are there", () => {
		const { scripts } = JSON.parse(readText("package.json")) as { scripts: Record<string, string> };
		for (const document of DOCUMENTS) {
			for (const [, name] of readText(document).matchAll(/npm run (?:--silent )?([\w:-]+)/g)) {
				expect(scripts, document).toHaveProperty([name as string]);
			}
		}
	});
});

it.each(LINKING)("the files that %s names are there", (document) => {
	const named = [...readText(document).matchAll(/`((?:src|test|packages|scripts|bench|soak|docs)\/[\w./-]+)`/g)];
	const missing = named.filter(([, file]) => !existsSync(path.join(root, file as string)));
	expect(missing.map(([, file]) => file)).toEqual([]);
});

describe.each(LINKING)("the code in %s", (document) => {
	const blocks = (language: string) => fencedBlocks(readText(document), language);

	it("is TypeScript, where it says so", async () => {
		for (const loader of ["ts", "tsx", "js"] as const) {
			for (const code of blocks(loader)) {
				await expect(transform(code, { loader, jsx: "automatic" }), code).resolves.toBeDefined();
			}
		}
	});

	it("is JSON, where it says so", () => {
		for (const code of blocks("json")) expect(() => JSON.parse(code), code).not.toThrow();
	});

	it("is a shell's, where it says so", () => {
		for (const code of blocks("sh")) {
			const { status, stderr } = spawnSync("bash", ["-n"], { input: code, encoding: "utf8" });
			expect([code, status, stderr]).toEqual([code, 0, ""]);
		}
	});
});

it.each(LINKING)("no link of %s is dead", (document) => {
	const dead = relativeLinks(readText(document)).filter((link) => {
		const [file = "", anchor] = link.split("#");
		const target = file ? path.posix.join(path.posix.dirname(document), file) : document;
		if (!existsSync(path.join(root, target))) return true;
		if (anchor === undefined) return false;
		return statSync(path.join(root, target)).isDirectory() || !anchorsOf(readText(target)).includes(anchor);
	});
	expect(dead).toEqual([]);
});
