import { type DrizzleD1Database, drizzle } from "drizzle-orm/d1";

/**
 * Drizzle over a D1 session. So reads may use the nearest replica and still see everything up to a bookmark
 * (sequential consistency).
 *
 * Drizzle's type names only `D1Database`, but Drizzle calls only `prepare` and `batch`, which a session also has.
 */
export function drizzleOver(session: D1DatabaseSession): DrizzleD1Database {
	return drizzle(session as unknown as D1Database);
}

/** Builds queries for `prepareOnce`. It runs none. */
export const builder = drizzle({} as D1Database);
