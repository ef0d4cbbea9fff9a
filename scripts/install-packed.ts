/**
 * Puts the package into a project's `node_modules` as others get it: what `npm pack` packs, unpacked. It has no
 * dependencies, so that this is all that an install does.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { command, Stop } from "./command-line.ts";
import { root } from "./wrangler.ts";

const HELP = `Packs the package edge-runs, and installs what was packed into a project's node_modules:

  node scripts/install-packed.ts engines-test

  --help   says this`;

await command(
	HELP,
	{},
	({ positionals: [project, ...more] }) => {
		if (project === undefined || more.length > 0) throw new Stop("Name one project's folder. --help says more.");
		const folder = mkdtempSync(path.join(tmpdir(), "edge-runs-packed-"));
		try {
			const options = { cwd: root, encoding: "utf8" } as const;
			const packed = execFileSync("npm", ["pack", "-w", "edge-runs", "--json", "--pack-destination", folder], options);
			const [{ filename }] = JSON.parse(packed.slice(packed.indexOf("["))) as [{ filename: string }];
			const to = path.resolve(root, project, "node_modules/edge-runs");
			rmSync(to, { recursive: true, force: true });
			mkdirSync(to, { recursive: true });
			execFileSync("tar", ["-xzf", path.join(folder, filename), "-C", to, "--strip-components=1"]);
		} finally {
			rmSync(folder, { recursive: true, force: true });
		}
	},
	true,
);
