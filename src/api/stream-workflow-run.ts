import { createRoute, type RouteHandler, z } from "@hono/zod-openapi";
import { requireSession } from "../access/require-session.ts";
import { ServiceError } from "../errors.ts";
import type { AppEnv } from "../http/app-env.ts";
import { errors, eventStream, SESSION_ERRORS, sessionSecurity } from "../http/openapi.ts";
import { headers, lastEventIdParameter } from "../http/openapi-headers.ts";
import { Uuid } from "../uuid.ts";
import { type History, readHistory } from "../workflow-runs/history.ts";
import { parseList } from "../workflow-runs/json.ts";
import { isTerminal, type WorkflowRun } from "../workflow-runs/schemas.ts";
import { eventId, isCurrent, streamHistory, type Teller } from "./events.ts";

export const streamWorkflowRunRoute = createRoute({
	method: "get",
	path: "/api/chats/{chatId}/workflow-runs/{runId}/stream",
	operationId: "streamWorkflowRun",
	summary: "Follow one workflow run",
	description:
		"Server-sent events. `run`: the whole run, at first and whenever it has changed. `end`: `{ reason }`, run_ended once " +
		"the run is completed, failed or cancelled, else as for a chat's stream: there is no use in coming back.",
	tags: ["Workflow runs"],
	security: sessionSecurity,
	middleware: requireSession,
	request: { params: z.object({ chatId: Uuid, runId: Uuid }) },
	parameters: [lastEventIdParameter],
	responses: {
		...eventStream,
		204: { description: "The client has the run's end. EventSource does not come back after this", headers },
		...errors(...SESSION_ERRORS, "INVALID_RUN_ID", "RUN_NOT_FOUND"),
	},
});

export const handleStreamWorkflowRun: RouteHandler<typeof streamWorkflowRunRoute, AppEnv> = async (c) => {
	const { chatId, runId } = c.req.valid("param");
	const first = await readHistory(c.var.scope, c.var.session, chatId);
	const run = runOf(first, runId);
	if (!run) throw new ServiceError("RUN_NOT_FOUND");
	if (isTerminal(run.status) && isCurrent(c, first)) return c.body(null, 204);
	return streamHistory(c, chatId, first, oneRun(runId));
};

const oneRun = (runId: string): Teller => {
	const tell: Teller["tellFirst"] = async (events, history) => {
		const run = runOf(history, runId);
		if (!run) return "run_ended";
		await events.writeSSE({ event: "run", data: JSON.stringify(run), id: eventId(history) });
		return isTerminal(run.status) ? "run_ended" : undefined;
	};
	return {
		tellFirst: tell,
		async tellChange(events, now, before) {
			const isSame = JSON.stringify(runOf(now, runId)) === JSON.stringify(runOf(before, runId));
			return isSame ? undefined : tell(events, now);
		},
	};
};

function runOf({ body }: History, runId: string): WorkflowRun | undefined {
	return parseList(body).find((run) => run.id === runId);
}
