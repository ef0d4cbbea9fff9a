/**
 * Builds `dist/assets`, which the Worker's static assets binding serves: the page's script and style, the element, the API
 * reference, the OpenAPI document, and a copy of `src/assets`. Beside them it makes the libraries that the Worker is bundled
 * with. `wrangler.toml` runs it before each build, for dev and deploy.
 */
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { build } from "esbuild";
import { cssText } from "../packages/edge-runs/css-text.ts";
import { command } from "./command-line.ts";
import { makeOpenApiDocument } from "./openapi/document.ts";
import { put } from "./put.ts";
import { makeSmallLibraries } from "./small/libraries.ts";
import { root } from "./wrangler.ts";

const HELP = `Builds what the Worker's static assets binding serves into dist/assets. wrangler does it by itself before each build:

  node scripts/assets.ts

  --help   says this`;

const out = path.join(root, "dist/assets");
const source = path.join(root, "src/assets");
const swaggerUi = path.dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));

const packageFolder = path.join(root, "packages/edge-runs");
const { version } = JSON.parse(readFileSync(path.join(packageFolder, "package.json"), "utf8")) as { version: string };

const options = {
	write: false,
	bundle: true,
	minify: true,
	format: "esm",
	target: "es2022",
	// The components make DOM nodes in the browser.
	alias: { "hono/jsx/jsx-runtime": path.join(packageFolder, "src/timeline/browser/jsx-runtime.ts") },
	logLevel: "warning",
} as const;

/** `<workflow-runs>` in one file, for pages that load it from the service: by a script tag of either type. */
async function buildElement(): Promise<Uint8Array> {
	const entryPoints = [path.join(packageFolder, "src/element/index.ts")];
	const { outputFiles } = await build({ ...options, format: "iife", entryPoints, plugins: [cssText] });
	return (outputFiles[0] as { contents: Uint8Array }).contents;
}

const putAsset = (name: string, content: Uint8Array) => put(path.join(out, name), content);

await command(HELP, {}, async () => {
	for (const entry of readdirSync(source, { recursive: true, withFileTypes: true })) {
		const file = path.join(entry.parentPath, entry.name);
		if (entry.isFile()) putAsset(path.relative(source, file), readFileSync(file));
	}
	// With the licence files that the script points to.
	const licences = ["swagger-ui-bundle.js.LICENSE.txt", "LICENSE", "NOTICE"];
	for (const name of ["swagger-ui-bundle.js", "swagger-ui.css", ...licences]) {
		putAsset(`docs/${name}`, readFileSync(path.join(swaggerUi, name)));
	}
	const { outputFiles } = await build({
		...options,
		entryPoints: [
			{ in: path.join(root, "src/page/browser/main.ts"), out: "page" },
			{ in: path.join(root, "src/page/page.css"), out: "page" },
		],
		outdir: out,
	});
	for (const { path: file, contents } of outputFiles) putAsset(path.relative(out, file), contents);
	const element = await buildElement();
	putAsset("element.js", element);
	putAsset(`element-${version}.js`, element);
	await makeSmallLibraries();
	putAsset("openapi.json", Buffer.from(JSON.stringify(await makeOpenApiDocument())));
});
