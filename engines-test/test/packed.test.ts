import { lstatSync, readdirSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";

/** The adapters are tested as others install them: from the tarball, not from the sources. */
it("the package is the packed one: no link, and nothing but what is published", () => {
	const folder = path.join(import.meta.dirname, "../node_modules/edge-runs");
	expect(import.meta.resolve("edge-runs/recorder")).toBe(`file://${path.join(folder, "dist/recorder.js")}`);
	expect(lstatSync(folder).isSymbolicLink()).toBe(false);
	expect(readdirSync(folder).sort()).toEqual(["LICENSE", "README.md", "dist", "package.json"]);
});
