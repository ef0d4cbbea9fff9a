import { execFile } from "node:child_process";
import { cpSync, readdirSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
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

const MIGRATIONS_OF_01 = 2;
const COLUMNS_OF_01 = "id, chat_id, workflow_id, status, started_at, completed_at, error, steps, revision, created_at";

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

	// `wrangler d1 migrations apply --remote` sends a migration whole, and D1 splits it: by BEGIN and END in capitals, as
	// github.com/cloudflare/workers-sdk/issues/15314 says. Triggers of one line and one statement are known to pass.
	it("have no trigger that D1 might cut in two", () => {
		const sql = readdirSync(path.join(root, "drizzle"))
			.filter((file) => file.endsWith(".sql"))
			.map((file) => readText(`drizzle/${file}`))
			.join("\n");
		const triggers = sql.split("\n").filter((line) => /create trigger/i.test(line));
		expect(triggers.length).toBeGreaterThan(0);
		for (const trigger of triggers) expect(trigger).toMatch(/^CREATE TRIGGER [^;]+ BEGIN [^;]+; END;$/);
		expect(triggers.join("\n")).not.toMatch(/\bcase\b|\r/i);
	});

	it("are taken by a filled database of 0.1 while 0.1 reads and writes it: nothing is copied, renamed or dropped", () => {
		const sql = readdirSync(path.join(root, "drizzle"))
			.filter((file) => file.endsWith(".sql"))
			.sort()
			.map((file) => readText(`drizzle/${file}`).replaceAll("--> statement-breakpoint", ""));
		const database = new DatabaseSync(":memory:");
		for (const migration of sql.slice(0, MIGRATIONS_OF_01)) database.exec(migration);
		const [chat, run] = ["550e8400-e29b-41d4-a716-446655440000", "0a4c1de2-93c7-4c2b-8f0e-1d2c3b4a5e10"];
		database.exec(`
			insert into chats values ('${chat}', 'user', '${run}', '2024-02-04T12:00:00.000Z', null);
			insert into workflow_runs (id, chat_id, workflow_id, status, started_at, completed_at, error, steps, revision, created_at)
			values ('${run}', '${chat}', '${run}', 'running', '2024-02-04T12:00:00.000Z', null, null, '[]', '${run}', '2024-02-04T12:00:00.000Z')`);
		// 0.1 names its columns, in its reads and in its writes.
		const read = () => database.prepare(`select ${COLUMNS_OF_01} from workflow_runs`).all();
		const before = read();
		for (const migration of sql.slice(MIGRATIONS_OF_01)) {
			expect(migration).not.toMatch(/\b(drop|rename|pragma)\b/i);
			database.exec(migration);
		}
		expect(read()).toEqual(before);
		const other = run.replace("0a4c", "0b4c");
		database.exec(
			`insert into workflow_runs (${COLUMNS_OF_01}) select '${other}', ${COLUMNS_OF_01.slice("id, ".length)} from workflow_runs`,
		);
		expect(database.prepare("select change from workflow_runs").all()).toEqual([{ change: 0 }, { change: 0 }]);
		// A user's runs are those that were there, and those that 0.1 goes on to write, as they are now.
		database.exec(`update workflow_runs set status = 'failed', completed_at = started_at where id = '${run}'`);
		expect(database.prepare("select user_id, status, run_id from user_runs order by status").all()).toEqual([
			{ user_id: "user", status: "failed", run_id: run },
			{ user_id: "user", status: "running", run_id: other },
		]);
	});
});
