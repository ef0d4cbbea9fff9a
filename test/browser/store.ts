import { readdirSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Report } from "./scenes.ts";
import type { SiteAddress } from "./site.ts";

/**
 * Writes runs into a site's D1, past the service: thousands in a second, where reporting them takes a minute. Only for a
 * chat that nobody has looked at yet, since nobody is told.
 */
export function store(site: SiteAddress, chatId: string, runs: readonly Report[]): void {
	const folder = path.join(site.state, "v3/d1");
	const file = readdirSync(folder, { recursive: true, encoding: "utf8" }).find((name) =>
		/[0-9a-f]{64}\.sqlite$/.test(name),
	);
	const database = new DatabaseSync(path.join(folder, file as string), { timeout: 5_000 });
	try {
		database
			.prepare(
				`insert into workflow_runs (id, chat_id, workflow_id, status, started_at, completed_at, details, steps, revision, created_at)
				select value->>'id', chats.id, value->>'workflowId', value->>'status', value->>'startedAt', value->>'completedAt',
					json_object('workflowName', value->>'workflowName'), value->>'steps', chats.revision, chats.created_at
				from json_each(?), chats where chats.id = ?`,
			)
			.run(JSON.stringify(runs), chatId);
	} finally {
		database.close();
	}
}
