import { spawnSync } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, expect, it } from "vitest";
import { WRANGLER, wranglerEnv } from "../../scripts/wrangler.ts";
import { root, temporaryFolder } from "../node/dev-server.ts";
import { commandsOf } from "../node/documents.ts";

const { folder, remove } = temporaryFolder();
afterAll(remove);

const database = (binding: string) => `
[[d1_databases]]
binding = "${binding}"
database_name = "${binding}"
database_id = "${binding}"
migrations_dir = ${JSON.stringify(path.join(root, "drizzle"))}
`;

/** A command of the document, on this machine: D1 as wrangler has it here, with the limits of D1. */
function run(command: string): string {
	const local = command
		.replace(/^npx wrangler/, `"${process.execPath}" "${WRANGLER}"`)
		.replace("--remote", "--local")
		.replace(" NAME ", " NEW ");
	const { status, stdout, stderr } = spawnSync("sh", ["-c", local], {
		cwd: folder,
		env: wranglerEnv(),
		encoding: "utf8",
	});
	return status === 0 ? "" : `${local}: ${stdout}${stderr}`;
}

/** The database that was made last. */
function lastMade(known: readonly string[] = []): { file: string; db: DatabaseSync } {
	const stores = path.join(folder, ".wrangler/state/v3/d1/miniflare-D1DatabaseObject");
	const file = readdirSync(stores).find((name) => /^[0-9a-f]+\.sqlite$/.test(name) && !known.includes(name)) ?? "";
	return { file, db: new DatabaseSync(path.join(stores, file)) };
}

it("what docs/operating.md exports goes into a new database, but for runs that are larger than a statement may be", () => {
	writeFileSync(path.join(folder, "wrangler.toml"), `name = "back-up"${database("DB")}${database("NEW")}`);
	expect(run("npx wrangler d1 migrations apply DB --remote")).toBe("");
	const { file, db } = lastMade();
	const chat = "7d9f3c52-5b0e-4c5e-9a55-0f4a4a1f6c01";
	const at = "2026-11-28T04:25:16.087Z";
	db.prepare("insert into chats (id, user_id, revision, created_at) values (?, 'ada', 'r', ?)").run(chat, at);
	const insert = db.prepare(
		`insert into workflow_runs (id, chat_id, workflow_id, status, started_at, steps, revision, created_at, heard_at)
		values (?, ?, ?, 'running', ?, ?, 'r', ?, ?)`,
	);
	const [small, large] = ["0a4c1de2-93c7-4c2b-8f0e-1d2c3b4a5e01", "0a4c1de2-93c7-4c2b-8f0e-1d2c3b4a5e02"];
	for (const [id, text] of [
		[small, "a line\nit's another; é"],
		[large, "é".repeat(50_000)],
	] as const)
		insert.run(id, chat, chat, at, JSON.stringify([{ id: "step", status: "running", name: text }]), at, at);
	const all = (from: DatabaseSync, table: string) => from.prepare(`select * from ${table}`).all() as { id?: string }[];
	const before = { chats: all(db, "chats"), runs: all(db, "workflow_runs"), migrations: all(db, "d1_migrations") };
	db.close();

	const commands = commandsOf("docs/operating.md").map(({ text }) => text);
	const backUp = commands.findIndex((text) => text.includes("d1 export"));
	const [exporting = "", ...filling] = commands.slice(backUp, backUp + 4);
	expect(run(exporting.replace(" --env=", ""))).toBe("");
	expect(run("npx wrangler d1 execute NAME --remote --file=edge-runs.sql")).toMatch(/statement too long/);
	expect(filling.map(run)).toEqual(["", "", ""]);

	const filled = lastMade([file]).db;
	expect(all(filled, "workflow_runs")).toEqual(before.runs.filter(({ id }) => id === small));
	expect(all(filled, "user_runs")).toMatchObject([{ user_id: "ada", run_id: small }]);
	expect(all(filled, "chats")).toEqual(before.chats);
	expect(all(filled, "d1_migrations")).toEqual(before.migrations);
	filled.prepare("delete from workflow_runs").run();
	// The triggers are there, too.
	expect(all(filled, "user_runs")).toEqual([]);
	filled.close();
});
