import { type SQL, sql } from "drizzle-orm";

/** SQL: these ids, behind `in`. One parameter for all of them, since D1 takes at most 100. */
export function among(ids: readonly string[]): SQL {
	return sql`(select value from json_each(${JSON.stringify(ids)}))`;
}
