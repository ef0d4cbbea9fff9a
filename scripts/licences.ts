/**
 * `npm run licences`: writes docs/licences.md, the packages whose code ships. A package that no bundle
 * contains is not listed: it stays on the developer's machine. `test/node/licences.test.ts` holds the file against the bundles.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { build, type Metafile } from "esbuild";
import { cssText } from "../packages/edge-runs/css-text.ts";
import { command, Stop } from "./command-line.ts";
import { SMALL_LIBRARIES } from "./small/libraries.ts";
import { root, wrangler } from "./wrangler.ts";

/** The list, as Markdown. */
export async function listLicences(): Promise<string> {
	const shipped: Record<string, string[]> = {
		Worker: [...(await workerPackages()), ...SMALL_LIBRARIES],
		"page's script": await packagesOf("src/page/browser/main.ts"),
		// Copied as it is, with the licences of what it was bundled from; see scripts/assets.ts.
		"API reference": ["swagger-ui-dist"],
		"element (`edge-runs/element`)": await packagesOf("packages/edge-runs/src/element/index.ts"),
		"client (`edge-runs/client`)": await packagesOf("packages/edge-runs/src/client/index.ts"),
	};
	const names = [...new Set(Object.values(shipped).flat())].sort();
	const rows = names.map((name) => {
		const { version, license } = JSON.parse(
			readFileSync(path.join(root, "node_modules", name, "package.json"), "utf8"),
		);
		const where = Object.keys(shipped).filter((place) => shipped[place]?.includes(name));
		return `| ${name} | ${version} | ${license} | ${where.join(", ")} |`;
	});
	return [
		"# Licences of what ships",
		"",
		"Written by `npm run licences`, from what the bundlers took in. All else in `package.json` serves development only.",
		"",
		"| Package | Version | Licence | Ships in |",
		"| --- | --- | --- | --- |",
		...rows,
		"",
	].join("\n");
}

/** As `wrangler deploy` would bundle it. */
async function workerPackages(): Promise<string[]> {
	const directory = mkdtempSync(path.join(tmpdir(), "edge-runs-licences-"));
	const metafile = path.join(directory, "meta.json");
	try {
		const args = ["deploy", "--dry-run", "--env=", "--outdir", directory, "--metafile", metafile];
		const { code, stderr } = await wrangler(args);
		if (code !== 0) throw new Stop(`The Worker cannot be bundled:\n${stderr}`);
		return packagesIn(JSON.parse(readFileSync(metafile, "utf8")));
	} finally {
		rmSync(directory, { recursive: true, force: true });
	}
}

/** As scripts/assets.ts and `npm run build:packages` bundle it. */
async function packagesOf(entry: string): Promise<string[]> {
	const { metafile } = await build({
		entryPoints: [path.join(root, entry)],
		bundle: true,
		format: "esm",
		write: false,
		metafile: true,
		plugins: [cssText],
		alias: { "hono/jsx/jsx-runtime": path.join(root, "packages/edge-runs/src/timeline/browser/jsx-runtime.ts") },
	});
	return packagesIn(metafile);
}

/** The packages of which an output has at least a byte. */
function packagesIn({ outputs }: Metafile): string[] {
	const files = Object.values(outputs).flatMap(({ inputs }) => Object.entries(inputs));
	const names = files.flatMap(([file, { bytesInOutput }]) =>
		bytesInOutput > 0 ? (/.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.slice(1) ?? []) : [],
	);
	return [...new Set(names)].sort();
}

const HELP = `Writes docs/licences.md, the packages whose code ships, from what the bundlers took in:

  npm run licences

  --help   says this`;

if (import.meta.main) {
	await command(HELP, {}, async () => writeFileSync(path.join(root, "docs/licences.md"), await listLicences()));
}
