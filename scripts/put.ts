import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

/** Writes a file only if it is new or different: at each change a dev server reloads and drops its connections. */
export function put(file: string, content: Uint8Array): void {
	if (existsSync(file) && readFileSync(file).equals(content)) return;
	mkdirSync(path.dirname(file), { recursive: true });
	writeFileSync(file, content);
}
