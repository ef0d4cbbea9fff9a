import { existsSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { readText, root } from "./dev-server.ts";

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
