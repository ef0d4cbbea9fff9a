import { readFileSync } from "node:fs";
import { build, type Plugin } from "esbuild";
import { root } from "../wrangler.ts";
import { sourceFiles, stubs } from "./stubs.ts";

/**
 * Drizzle for the Worker: what the service imports of it, from whichever of its modules, without what its classes hold
 * on to and this service never uses.
 * @returns the module's text
 */
export async function makeSmallDrizzle(): Promise<Uint8Array> {
	const { outputFiles } = await build({
		stdin: { contents: importedNames(), resolveDir: root },
		write: false,
		bundle: true,
		format: "esm",
		target: "es2022",
		logLevel: "error",
		plugins: [lightClasses],
	});
	return (outputFiles[0] as { contents: Uint8Array }).contents;
}

/** A module that exports each name that the service imports of Drizzle. */
function importedNames(): string {
	const text = sourceFiles().map((file) => readFileSync(file, "utf8"));
	const imports = text.join("\n").matchAll(/^import \{([^}]*)\} from ("drizzle-orm[^"]*");$/gm);
	const lines = [...imports].flatMap(([, names, from]) =>
		(names as string)
			.split(",")
			.map((name) => name.trim())
			.filter((name) => name && !name.startsWith("type "))
			.map((name) => `export { ${name} } from ${from};`),
	);
	return [...new Set(lines)].join("\n");
}

/** Relational queries (`db.query`), and columns given as a function of their types. */
const LEFT_OUT = /[/\\]drizzle-orm[/\\](relations|sqlite-core[/\\](query-builders[/\\]query|columns[/\\]all))\.js$/;

const lightClasses: Plugin = {
	name: "light-classes",
	setup({ onLoad }) {
		onLoad({ filter: LEFT_OUT }, ({ path: file }) => stubs(file, "a part of Drizzle"));
		// Migrations are wrangler's. The other method is for relational queries, and the largest of all.
		onLoad({ filter: /[/\\]drizzle-orm[/\\]sqlite-core[/\\]dialect\.js$/ }, ({ path: file }) => {
			const dialect = readFileSync(file, "utf8");
			const contents = dialect.replace(/^ {2}(?:async )?(?:buildRelationalQuery|migrate)\([\s\S]*?^ {2}\}\n/gm, "");
			if (contents === dialect) throw new Error(`${file} looks otherwise: is this another version of Drizzle?`);
			return { contents, loader: "js" };
		});
		// Asked of every value in a query: it brings PostgreSQL's columns along.
		onLoad({ filter: /[/\\]drizzle-orm[/\\]pg-core[/\\]columns[/\\]enum\.js$/ }, () => ({
			contents: "export const isPgEnum = () => false;",
			loader: "js",
		}));
	},
};
