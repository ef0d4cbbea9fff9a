import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import path from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";

const root = path.dirname(import.meta.dirname);
const wrangler = path.join(root, "node_modules/wrangler/bin/wrangler.js");

/** A config's build command runs `node`: this one, which knows TypeScript. */
const searchPath = `${path.dirname(process.execPath)}${path.delimiter}${process.env["PATH"]}`;

/** A Worker as wrangler would deploy it. */
export interface Bundle {
	readonly code: string;
	/** What the bundle takes compressed, as Cloudflare's limit counts it. */
	readonly gzippedBytes: number;
}

/**
 * Has wrangler bundle a Worker as `wrangler deploy` does.
 * @param config a wrangler.toml, relative to the project
 * @param entry the Worker's main module, relative to the project; the config's unless given
 * @param to an empty directory of its own
 * @param readable leaves the code's names as they are, for a profile
 */
export async function bundle(config: string, to: string, entry?: string, readable = false): Promise<Bundle> {
	const script = entry === undefined ? [] : [entry];
	const options = ["--config", config, "--dry-run", "--outdir", to, ...(readable ? ["--no-minify"] : [])];
	await promisify(execFile)(process.execPath, [wrangler, "deploy", ...script, ...options], {
		cwd: root,
		env: { ...process.env, PATH: searchPath, WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true" },
	});
	const name = path.basename(entry ?? "src/index.ts").replace(/\.ts$/, ".js");
	return read(path.join(to, name));
}

/** A bundle that was made before. @param file relative to the project */
export const readBundle = (file: string): Bundle => read(path.join(root, file));

function read(file: string): Bundle {
	const code = readFileSync(file, "utf8");
	return { code, gzippedBytes: gzipSync(code).byteLength };
}

/** A module of `workers/`, as JavaScript. Those import only each other, by file name: they need no bundler. */
export function readModule(name: string): string {
	return stripTypeScriptTypes(readFileSync(path.join(import.meta.dirname, "workers", name), "utf8"));
}
