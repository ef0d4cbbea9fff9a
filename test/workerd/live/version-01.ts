import { env } from "cloudflare:workers";
import { uuid } from "../helpers.ts";

/**
 * Records a run as version 0.1 does, by its very statements: it knows no change number, and goes on serving while a
 * newer version's migrations are applied.
 */
export async function recordAs01(
	chat: string,
	{ id, status, completedAt = null }: { id: string; status: string; completedAt?: string | null },
): Promise<void> {
	const revision = uuid();
	const state = [status, "2024-02-04T12:00:00.000Z", completedAt, null, "[]", revision];
	await env.DB.batch([
		env.DB.prepare('update "chats" set "revision" = ? where "chats"."id" = ?').bind(revision, chat),
		env.DB.prepare(
			`insert into "workflow_runs"
			("id", "chat_id", "workflow_id", "status", "started_at", "completed_at", "error", "steps", "revision", "created_at")
			values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
			on conflict ("workflow_runs"."id") do update
			set "status" = ?, "started_at" = ?, "completed_at" = ?, "error" = ?, "steps" = ?, "revision" = ?`,
		).bind(id, chat, uuid(), ...state, "2024-02-04T00:00:00.000Z", ...state),
	]);
}
