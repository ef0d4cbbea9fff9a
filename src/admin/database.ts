import { readMigrations } from "../db/migrations.ts";
import { withDeadline } from "../deadline.ts";
import { readConfig } from "../env.ts";
import { logError } from "../log.ts";
import type { Scope } from "../scope.ts";
import type { DatabaseLook } from "./schemas.ts";

/** How large the database is, and what was done to it; null if it does not answer. */
export async function inspectDatabase(scope: Scope): Promise<DatabaseLook | null> {
	const { env } = scope;
	try {
		const read = readMigrations(env.DB);
		const { applied, missing, meta } = await withDeadline(read, readConfig(env).storeTimeoutSeconds, scope);
		return { bytes: meta.size_after, region: meta.served_by_region ?? null, migrations: { applied, missing } };
	} catch (error) {
		logError(scope, { event: "health", check: "d1" }, error);
		return null;
	}
}
