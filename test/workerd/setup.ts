import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterAll } from "vitest";
import "./told-to-vitest.ts";

await applyD1Migrations(env.DB, env.MIGRATIONS);

/** All files share one database. Some compare the whole of it, again and again, which is to be no more than their own. */
afterAll(async () => {
	await env.DB.batch([env.DB.prepare("delete from workflow_runs"), env.DB.prepare("delete from chats")]);
});
