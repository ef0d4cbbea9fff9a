import { execFileSync } from "node:child_process";
import { existsSync, rmSync, statSync } from "node:fs";
import path from "node:path";
import { root } from "../wrangler.ts";

/** Installs an example's packages if its lock file is newer than what is there, and edge-runs as it is now in any case. */
export function install(folder: string): void {
	const modules = path.join(folder, "node_modules");
	if (!isCurrent(path.join(folder, "package-lock.json"), path.join(modules, ".package-lock.json"))) {
		console.log(`Installing the packages of ${path.relative(root, folder)}…`);
		const windows = process.platform === "win32";
		execFileSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: folder, stdio: "inherit", shell: windows });
	}
	execFileSync(process.execPath, ["scripts/install-packed.ts", folder], { cwd: root, stdio: "inherit" });
	// What Vite has made of the package as it was: it looks at the version alone.
	rmSync(path.join(modules, ".vite"), { recursive: true, force: true });
}

/** Whether npm has installed from the lock file as it is. */
function isCurrent(lock: string, installed: string): boolean {
	return existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs;
}
