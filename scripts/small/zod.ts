import { readFileSync } from "node:fs";
import path from "node:path";
import { build, type Plugin } from "esbuild";
import { root } from "../wrangler.ts";
import { sourceFiles, stubs } from "./stubs.ts";

/**
 * zod for the Worker: what `src/zod.ts` names of it, without what its schemas hold on to and this service never uses, so
 * that no bundler leaves it out.
 * @returns the module's text
 */
export async function makeSmallZod(): Promise<Uint8Array> {
	const { outputFiles } = await build({
		entryPoints: [path.join(root, "src/zod.ts")],
		write: false,
		bundle: true,
		format: "esm",
		target: "es2022",
		logLevel: "error",
		plugins: [lightSchemas],
	});
	return (outputFiles[0] as { contents: Uint8Array }).contents;
}

/** What the schemas of zod hold on to, and what stands in for it. */
const CHANGES: readonly (readonly [RegExp, string])[] = [
	// Only the OpenAPI document would use JSON Schema, and it is made when the Worker is built.
	[/^ *inst\._zod\.processJSONSchema = .*;$/gm, ""],
	// It adds JSON Schema to the property that each schema has anyway.
	[/^ {4}get "~standard"\(\) \{[\s\S]*?^ {4}\},\n {4}set "~standard"[\s\S]*?^ {4}\},$/gm, ""],
	// It makes code from strings, which a Worker refuses.
	[/core\.\$ZodObjectJIT\.init/g, "core.$ZodObject.init"],
	// It is for values that hold themselves, and schemas that do: there are none here. zod/mini has none either.
	[/core\.config\(\{ memoizer: core\.memoizer\(\) \}\)/g, "{}"],
	// Imported this way, a bundler leaves out what is not used of them.
	[/core\.util\./g, "util."],
	[/import \{ util \} from "\.\.\/core\/index\.js"/g, 'import * as util from "../core/util.js"'],
];

/** A method in a schema's table of them, such as `email(params) { … }`. It holds on to its own kind of schema. */
const METHOD = /^ {4}(?:async )?(\w+)(?:: (?:async )?function \w+)?\([^)]*\) \{\n(?: {8}.*\n)* {4}\},?\n/gm;

const lightSchemas: Plugin = {
	name: "light-schemas",
	setup({ onLoad }) {
		onLoad({ filter: /[/\\]zod[/\\]v4[/\\]classic[/\\]schemas\.js$/ }, ({ path: file }) => {
			let schemas = readFileSync(file, "utf8");
			for (const [what, instead] of CHANGES) {
				const before = schemas;
				schemas = schemas.replace(what, instead);
				if (schemas === before) throw new Error(`${file} has nothing like ${what}: is this another version of zod?`);
			}
			const used = namesUsed(schemas);
			const contents = schemas.replace(METHOD, (method, name: string) => (used.has(name) ? method : ""));
			return { contents, loader: "js" };
		});
		onLoad({ filter: /[/\\]zod[/\\]v4[/\\]core[/\\](json-schema-processors|to-json-schema)\.js$/ }, ({ path: file }) =>
			stubs(file, "JSON Schema"),
		);
	},
};

/**
 * The names of all members that the service, Hono's parts for zod or zod's schemas themselves ask for, of whatever object:
 * Hono knows a schema by its having `parseAsync`, which it never calls.
 */
function namesUsed(schemas: string): Set<string> {
	const ofHono = ["zod-openapi", "zod-validator"].map((name) =>
		path.join(root, `node_modules/@hono/${name}/dist/index.mjs`),
	);
	const texts = [...sourceFiles(), ...ofHono].map((file) => readFileSync(file, "utf8"));
	const names = [...texts.join("\n").matchAll(/\.(\w+)/g), ...schemas.matchAll(/\bthis\??\.(\w+)/g)];
	return new Set(names.map(([, name]) => name as string));
}
