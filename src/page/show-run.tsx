import type { Context } from "hono";
import { ServiceError } from "../errors.ts";
import type { AppEnv } from "../http/app-env.ts";
import { Uuid } from "../uuid.ts";
import { readRun } from "../workflow-runs/read.ts";
import type { WorkflowRun } from "../workflow-runs/schemas.ts";
import { toHtml } from "./document.tsx";
import { RunPage } from "./run-page.tsx";

/**
 * `GET /chats/:chatId/runs/:runId`: one workflow run for the chat's owner, as a page. Checks come in the API's order.
 * @throws {ServiceError} the same errors as the API's answer for one run
 */
export async function showRun(c: Context<AppEnv>): Promise<Response> {
	const { scope, session } = c.var;
	const [chatId, runId] = [Uuid.safeParse(c.req.param("chatId")), Uuid.safeParse(c.req.param("runId"))];
	if (!chatId.success || !runId.success) {
		await session;
		throw new ServiceError(chatId.success ? "INVALID_RUN_ID" : "INVALID_CHAT_ID");
	}
	const { run } = await readRun(scope, session, chatId.data, runId.data);
	const page = <RunPage run={JSON.parse(run) as WorkflowRun} now={Date.now()} />;
	return c.html(toHtml(page), 200, { "cache-control": "no-store" });
}
