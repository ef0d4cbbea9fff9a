import { randomBytes, randomUUID } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { serializeSigned } from "hono/utils/cookie";
import type { Miniflare } from "miniflare";
import { type ChatSize, chatIdOf, OWNER, runsOf } from "./data.ts";

type D1 = Awaited<ReturnType<Miniflare["getD1Database"]>>;
type Kv = Awaited<ReturnType<Miniflare["getKVNamespace"]>>;

const CREATED_AT = "2026-01-01T00:00:00.000Z";
/** So that the JSON of a statement's rows stays far below the 2 MB that D1 takes as a parameter. */
const ROWS_A_STATEMENT = 500;

/** The migrations that version 0.1 had. */
export const MIGRATIONS_OF_01 = 2;

/**
 * Makes the tables by the migrations as they are deployed, those that are not there yet.
 * @param count up to this number of all; left out: all
 */
export async function migrate(d1: D1, count?: number): Promise<void> {
	const root = path.dirname(import.meta.dirname);
	const migrations = readdirSync(path.join(root, "drizzle")).filter((name) => name.endsWith(".sql"));
	// Noted as wrangler notes them, for /api/health looks there, and wrangler itself.
	await d1
		.prepare(
			"create table if not exists d1_migrations (id integer primary key autoincrement, name text unique, applied_at timestamp default current_timestamp not null)",
		)
		.run();
	const { results } = await d1.prepare("select name from d1_migrations").all<{ name: string }>();
	const applied = new Set(results.map(({ name }) => name));
	for (const name of migrations.sort().slice(0, count)) {
		if (applied.has(name)) continue;
		const sql = readFileSync(path.join(root, "drizzle", name), "utf8");
		await d1.batch([
			...sql.split("--> statement-breakpoint").map((statement) => d1.prepare(statement)),
			d1.prepare("insert into d1_migrations (name) values (?)").bind(name),
		]);
	}
}

/** Fills our database: the tables, and rows as the service stores them. */
export async function seedOurs(d1: D1, sizes: readonly ChatSize[]): Promise<void> {
	await migrate(d1);
	for (const size of sizes) {
		const chatId = chatIdOf(size);
		const revision = randomUUID();
		await insert(d1, "chats", [{ id: chatId, user_id: OWNER, revision, created_at: CREATED_AT }]);
		const rows = runsOf(size).map((run) => ({
			id: run.id,
			chat_id: chatId,
			workflow_id: run.workflowId,
			status: run.status,
			started_at: run.startedAt,
			completed_at: run.completedAt,
			error: run.error ? JSON.stringify(run.error) : null,
			steps: JSON.stringify(run.steps),
			revision,
			created_at: CREATED_AT,
		}));
		await insert(d1, "workflow_runs", rows);
	}
}

/** Fills the peers' database: the same runs in two tables. */
export async function seedPeers(d1: D1, sizes: readonly ChatSize[]): Promise<void> {
	const sql = readFileSync(path.join(import.meta.dirname, "../bench/peers/two-tables.sql"), "utf8");
	const statements = sql.replaceAll(/^--.*$/gm, "").split(";");
	await d1.batch(statements.filter((each) => each.trim() !== "").map((statement) => d1.prepare(statement)));
	for (const size of sizes) {
		const chatId = chatIdOf(size);
		const runs = runsOf(size);
		await insert(d1, "chats", [{ id: chatId, user_id: OWNER, created_at: CREATED_AT }]);
		const state = (of: (typeof runs)[number] | (typeof runs)[number]["steps"][number]) => ({
			id: of.id,
			status: of.status,
			started_at: of.startedAt,
			completed_at: of.completedAt,
			error: of.error ? JSON.stringify(of.error) : null,
		});
		await insert(
			d1,
			"workflow_runs",
			runs.map((run) => ({ ...state(run), chat_id: chatId, workflow_id: run.workflowId })),
		);
		const steps = runs.flatMap((run) =>
			run.steps.map((step) => ({ ...state(step), run_id: run.id, name: step.name, position: step.position })),
		);
		await insert(d1, "steps", steps);
	}
}

async function insert(d1: D1, table: string, rows: readonly object[]): Promise<void> {
	const columns = Object.keys(rows[0] ?? {});
	const values = columns.map((column) => `value->>'${column}'`);
	const statement = d1.prepare(`insert into ${table} (${columns}) select ${values} from json_each(?)`);
	for (let i = 0; i < rows.length; i += ROWS_A_STATEMENT) {
		await statement.bind(JSON.stringify(rows.slice(i, i + ROWS_A_STATEMENT))).run();
	}
}

/** Signs a user in, as better-auth does. Returns the cookie to send. */
export async function seedSession(kv: Kv, secret: string, userId = OWNER): Promise<string> {
	const token = randomBytes(24).toString("base64url");
	const now = new Date();
	const expiresAt = new Date(now.getTime() + 86_400_000);
	const session = { id: randomUUID(), userId, token, expiresAt, createdAt: now, updatedAt: now };
	const user = { id: userId, name: "Bench User", email: "bench@example.com", emailVerified: true };
	await kv.put(token, JSON.stringify({ session, user: { ...user, createdAt: now, updatedAt: now } }));
	return (await serializeSigned("better-auth.session_token", token, secret)).split(";")[0] as string;
}
