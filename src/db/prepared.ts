import { fillPlaceholders, type Query, type SQL, type SQLWrapper } from "drizzle-orm";
import { SQLiteSyncDialect } from "drizzle-orm/sqlite-core";

/**
 * A query that Drizzle builds once in an isolate, not for each request. D1 gives its rows as arrays of columns, as
 * they were selected.
 * @param build a query with placeholders (`sql.placeholder`)
 */
export function prepareOnce<Values extends Record<string, unknown>>(
	build: () => SQLWrapper & { toSQL(): Query },
): (session: D1DatabaseSession, values: Values) => D1PreparedStatement {
	let built: Query | undefined;
	return (session, values) => {
		built ??= build().toSQL();
		return session.prepare(built.sql).bind(...fillPlaceholders(built.params, values));
	};
}

const dialect = new SQLiteSyncDialect();

/** As `prepareOnce`, of a query that is written out. */
export const prepareSql = (query: SQL) =>
	prepareOnce(() => Object.assign(query, { toSQL: () => dialect.sqlToQuery(query) }));
