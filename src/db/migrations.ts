import journal from "../../drizzle/meta/_journal.json";

/** The migrations that this Worker was built with, as `wrangler d1 migrations apply` names them in the database. */
const MIGRATIONS = journal.entries.map(({ tag }) => `${tag}.sql`);

/** The names of a database's migrations, in their order. */
export interface Migrations {
	readonly applied: string[];
	/** What this Worker needs and the database lacks. A database that has more is fine: the Worker was rolled back. */
	readonly missing: string[];
}

export async function readMigrations(db: D1Database): Promise<Migrations & { readonly meta: D1Meta }> {
	const { results, meta } = await db.prepare("select name from d1_migrations order by id").all<{ name: string }>();
	const applied = results.map(({ name }) => name);
	return { applied, missing: MIGRATIONS.filter((name) => !applied.includes(name)), meta };
}
