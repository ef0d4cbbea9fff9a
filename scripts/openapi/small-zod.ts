import { readFileSync } from "node:fs";
import path from "node:path";
import { build, type Plugin } from "esbuild";
import { root } from "../wrangler.ts";

/**
 * zod for the Worker: what `src/zod.ts` names of it, without the code that describes schemas as JSON Schema. Every schema
 * of zod's holds on to that code, so that no bundler leaves it out, and only the OpenAPI document would use it, which is
 * made when the Worker is built.
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
		plugins: [withoutJsonSchema],
	});
	return (outputFiles[0] as { contents: Uint8Array }).contents;
}

const withoutJsonSchema: Plugin = {
	name: "without-json-schema",
	setup({ onLoad }) {
		onLoad({ filter: /[/\\]zod[/\\]v4[/\\]core[/\\](json-schema-processors|to-json-schema)\.js$/ }, ({ path }) => {
			const names = readFileSync(path, "utf8").matchAll(/^export (?:const|function|class) (\w+)/gm);
			// The methods are made with each schema, and called by nobody.
			const stubs = [...names].map(
				([, name]) => `export const ${name} = () => () => { throw new Error("no JSON Schema"); };`,
			);
			return { contents: stubs.join("\n"), loader: "js" };
		});
	},
};
