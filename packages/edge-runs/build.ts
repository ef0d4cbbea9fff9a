/**
 * `npm run build:packages`: builds what the package's `exports` name into `dist`, JavaScript by esbuild and declarations
 * by tsc. A further export needs no line here: `"./x": { "types": "./dist/types/x/index.d.ts", "default": "./dist/x.js" }`
 * in package.json is built from `src/x/index.ts` (or `.tsx`).
 */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { build } from "esbuild";
import { cssText } from "./css-text.ts";

const home = import.meta.dirname;
const manifest = JSON.parse(readFileSync(path.join(home, "package.json"), "utf8")) as {
	exports: Record<string, string | { types: string; default: string }>;
};

/** Each export's source, by the name of its output. */
const entryPoints: Record<string, string> = {};
for (const target of Object.values(manifest.exports)) {
	if (typeof target === "string") continue;
	const source = target.types.replace("./dist/types/", "src/").replace(/\.d\.ts$/, "");
	const file = [".ts", ".tsx"].map((extension) => path.join(home, source + extension)).find(existsSync);
	if (!file) throw new Error(`package.json exports ${target.types}, but there is no ${source}.ts`);
	entryPoints[target.default.replace("./dist/", "").replace(/\.js$/, "")] = file;
}

rmSync(path.join(home, "dist"), { recursive: true, force: true });
await build({
	entryPoints,
	outdir: path.join(home, "dist"),
	bundle: true,
	// What the exports share is in files of its own: an EdgeRunsError is the same class in all of them.
	splitting: true,
	chunkNames: "shared/[name]-[hash]",
	format: "esm",
	target: "es2022",
	// Dependencies and peers are installed, never copied.
	packages: "external",
	jsx: "automatic",
	// The timeline's components make DOM nodes.
	alias: { "hono/jsx/jsx-runtime": path.join(home, "src/timeline/browser/jsx-runtime.ts") },
	plugins: [cssText],
	logLevel: "warning",
});
const tsc = path.join(path.dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin/tsc");
const options = ["--noEmit", "false", "--declaration", "--emitDeclarationOnly", "--outDir", "dist/types"];
execFileSync(process.execPath, [tsc, "-p", ".", ...options], { cwd: home, stdio: "inherit" });

// esbuild keeps the order in which modules would run; here none does anything, and bundlers would warn of such imports.
const scripts = readdirSync(path.join(home, "dist"), { encoding: "utf8" }).filter((name) => name.endsWith(".js"));
for (const name of scripts) {
	const file = path.join(home, "dist", name);
	writeFileSync(file, readFileSync(file, "utf8").replaceAll(/^import "\.[^"]*";\n/gm, ""));
}

// The timeline's components are not for others to call, and their types are those of a JSX runtime that is not shipped.
rmSync(path.join(home, "dist/types/timeline"), { recursive: true, force: true });

// tsc leaves the extensions of the sources, which only newer compilers find in declarations.
const types = path.join(home, "dist/types");
for (const name of readdirSync(types, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".d.ts"))) {
	const file = path.join(types, name);
	writeFileSync(file, readFileSync(file, "utf8").replaceAll(/((?:from|import\() ?"\.[^"]*)\.tsx?"/g, '$1.js"'));
}
