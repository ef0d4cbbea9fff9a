import { execFile } from "node:child_process";
import { cpSync, readdirSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { readText, root, temporaryFolder } from "./dev-server.ts";

const run = promisify(execFile);
const { folder, remove } = temporaryFolder();
afterAll(remove);

/** Runs drizzle-kit on a copy of the migrations. It takes relative folders only, and ends with 0 when it fails. */
async function drizzleKit(command: string, ...options: string[]): Promise<string> {
	const kit = path.join(root, "node_modules/drizzle-kit/bin.cjs");
	const out = path.relative(root, path.join(folder, "drizzle"));
	const running = run(process.execPath, [kit, command, "--dialect", "sqlite", "--out", out, ...options], { cwd: root });
	running.child.stdin?.end();
	const { stdout, stderr } = await running;
	return stdout + stderr;
}

describe("the migrations in drizzle/", () => {
	it("make the schema in src/db/schema.ts, no more and no less", async () => {
		cpSync(path.join(root, "drizzle"), path.join(folder, "drizzle"), { recursive: true });
		const before = readdirSync(path.join(folder, "drizzle"), { recursive: true });

		expect(await drizzleKit("generate", "--schema", "src/db/schema.ts")).toContain("No schema changes");

		expect(readdirSync(path.join(folder, "drizzle"), { recursive: true })).toEqual(before);
	});

	it("follow one another without a gap", async () => {
		expect(await drizzleKit("check")).toContain("Everything's fine");
		const { entries } = JSON.parse(readText("drizzle/meta/_journal.json")) as { entries: { tag: string }[] };
		const files = readdirSync(path.join(root, "drizzle")).filter((file) => file.endsWith(".sql"));
		expect(files.sort()).toEqual(entries.map(({ tag }) => `${tag}.sql`));
	});
});
