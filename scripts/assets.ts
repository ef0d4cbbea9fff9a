/**
 * Builds what the Worker's static assets binding serves into `dist/assets`: the page's script and style, the API
 * reference, and `src/assets` as it is. `wrangler.toml` runs it before each build, so that dev and deploy have them.
 */
import { cpSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { build } from "esbuild";

const root = path.dirname(import.meta.dirname);
const out = path.join(root, "dist/assets");
const swaggerUi = path.dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));

export async function buildAssets(): Promise<void> {
	mkdirSync(path.join(out, "docs"), { recursive: true });
	cpSync(path.join(root, "src/assets"), out, { recursive: true });
	for (const file of ["swagger-ui-bundle.js", "swagger-ui.css"]) {
		cpSync(path.join(swaggerUi, file), path.join(out, "docs", file));
	}
	await build({
		entryPoints: [
			{ in: path.join(root, "src/page/client/main.ts"), out: "page" },
			{ in: path.join(root, "src/page/page.css"), out: "page" },
		],
		outdir: out,
		bundle: true,
		minify: true,
		format: "esm",
		target: "es2022",
		// The components make DOM nodes in the browser.
		alias: { "hono/jsx/jsx-runtime": path.join(root, "src/page/client/jsx-runtime.ts") },
		logLevel: "warning",
	});
}

if (import.meta.main) await buildAssets();
