import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import vue from "@vitejs/plugin-vue";
import { build } from "vite";
import { readText } from "../../test/node/dev-server.ts";
import { fencedBlocks } from "../../test/node/documents.ts";

const here = import.meta.dirname;

/** The frameworks that docs/client.md shows the element in, beside React and plain HTML. */
export const FRAMEWORKS = {
	vue: vue({ template: { compilerOptions: { isCustomElement: (tag) => tag === "workflow-runs" } } }),
	svelte: svelte({ configFile: false }),
};

/**
 * Builds the fixture of a framework by Vite, with the document's own component in it.
 * @returns what the browser loads, by its path
 */
export async function buildFixture(name: keyof typeof FRAMEWORKS): Promise<Map<string, string>> {
	const [block] = fencedBlocks(readText("docs/client.md"), name);
	const folder = path.join(here, "node_modules/.documented");
	const documented = path.join(folder, `Documented.${name}`);
	mkdirSync(folder, { recursive: true });
	writeFileSync(documented, (block as string).replaceAll("https://runs.example.com", "/"));
	const built = await build({
		root: here,
		configFile: false,
		logLevel: "warn",
		plugins: [FRAMEWORKS[name]],
		resolve: { alias: { documented } },
		build: {
			write: false,
			rolldownOptions: { input: path.join(here, "fixtures", name, "main.js"), output: { entryFileNames: "main.js" } },
		},
	});
	const { output } = built as Extract<typeof built, { output: unknown }>;
	return new Map(output.map((file) => [`/${file.fileName}`, "code" in file ? file.code : String(file.source)]));
}
