import { readdirSync } from "node:fs";
import path from "node:path";
import { build, type OnLoadResult } from "esbuild";
import { root } from "../wrangler.ts";

/**
 * Stands in for a module of a library's: what it exports says so when it is called.
 * @param what what is missing, for the error
 */
export async function stubs(file: string, what: string): Promise<OnLoadResult> {
	const { metafile } = await build({
		entryPoints: [file],
		write: false,
		format: "esm",
		metafile: true,
		logLevel: "error",
	});
	const names = Object.values(metafile.outputs).flatMap((output) => output.exports);
	const message = JSON.stringify(`Left out of the Worker: ${what}. See scripts/small`);
	const contents = names.map((name) => `export const ${name} = () => { throw new Error(${message}); };`).join("\n");
	return { contents, loader: "js" };
}

/** The files of the service's own code. */
export function sourceFiles(): string[] {
	const folder = path.join(root, "src");
	const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
	return names.filter((name) => /\.tsx?$/.test(name)).map((name) => path.join(folder, name));
}
