import { env } from "cloudflare:workers";
import { expect } from "vitest";
import type { Env } from "../../../src/env.ts";
import { requestWith } from "../helpers.ts";
import { OPERATOR_TOKENS } from "../recording/recorder.ts";
import { watchBindings } from "../watch-bindings.ts";

type Changed = { [K in keyof Env]?: Env[K] | undefined };

const operator = { authorization: `Bearer ${OPERATOR_TOKENS[0]}` };

/** What an operator is told. With the hub, unless `changed` takes it away. */
export async function look<T>(path: string, changed: Changed = {}): Promise<T> {
	const response = await requestWith({ HUB: env.HUB, ...changed }, `/api/admin/${path}`, { headers: operator });
	expect([response.status, response.headers.get("cache-control")]).toEqual([200, "no-store"]);
	expect(response.headers.get("etag")).toBeNull();
	return (await response.json<{ data: T }>()).data;
}

/** With which status, code and message an operator is refused. */
export async function refusal(path: string, changed: Changed = {}): Promise<unknown[]> {
	const response = await requestWith({ HUB: env.HUB, ...changed }, `/api/admin/${path}`, { headers: operator });
	expect(response.headers.get("cache-control")).toBe("no-store");
	const { code, message } = await response.json<{ code: string; message: string }>();
	return [response.status, code, message];
}

/** What D1 reads for an operator's look: in how many round trips, and how many rows. */
export async function cost(path: string): Promise<{ trips: number; rows: number; kv: number }> {
	const { calls, ...bindings } = watchBindings();
	await look(path, bindings);
	const queries = calls.d1.flat().map(({ sql, params }) => env.DB.prepare(sql).bind(...params));
	const results = await env.DB.batch(queries);
	return {
		trips: calls.d1.length,
		rows: results.reduce((sum, { meta }) => sum + meta.rows_read, 0),
		kv: calls.kv.length,
	};
}

/** Inserts as many completed runs as `runs`, by one statement. */
export async function insertMany(chat: string, runs: number): Promise<void> {
	await env.DB.prepare(
		`with recursive n(i) as (select 1 union all select i + 1 from n where i < ?2)
		insert into workflow_runs (id, chat_id, workflow_id, status, started_at, completed_at, steps, revision, change, created_at)
		select substr(h, 1, 8) || '-' || substr(h, 9, 4) || '-4' || substr(h, 14, 3) || '-8' || substr(h, 18, 3) || '-' || substr(h, 21, 12),
			?1, ?1, 'completed', '2024-02-04T12:00:00.000Z', '2024-02-04T12:01:30.000Z', '[]', 'r', i, '2024-02-04T12:00:00.000Z'
		from (select i, lower(hex(randomblob(16))) as h from n)`,
	)
		.bind(chat, runs)
		.run();
}
