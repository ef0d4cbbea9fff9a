import { unstable_splitSqlQuery } from "wrangler";
import { type Api, ApiError, serveCloudflareApi } from "../lab/cloudflare-api.ts";
import type { D1 } from "./database.ts";

interface D1Api extends Api {
	/** How long each query took. */
	milliseconds(): readonly number[];
}

/**
 * As much of Cloudflare's API as `npm run db:migrate` needs, over the local D1 that a Worker is using meanwhile: as in
 * D1 itself, one query at a time, and a migration as one of them.
 */
export async function serveD1Api(d1: D1, name: string): Promise<D1Api> {
	const spent: number[] = [];
	const query = async (sql: string) => {
		const statements = unstable_splitSqlQuery(sql);
		const start = performance.now();
		const results = await d1.batch(statements.map((statement) => d1.prepare(statement)));
		spent.push(performance.now() - start);
		return results.map(({ results, meta }) => ({ success: true, results, meta }));
	};
	const api = await serveCloudflareApi(async ({ method, path, body }) => {
		const database = { name, uuid: "drill" };
		if (method === "GET") return path === "/d1/database" ? [database] : database;
		return query(JSON.parse(body.toString()).sql).catch((error) => {
			throw new ApiError(400, 7500, String(error));
		});
	});
	return { ...api, milliseconds: () => spent };
}
