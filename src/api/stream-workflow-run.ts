import { createRoute, type RouteHandler, z } from "@hono/zod-openapi";
import { requireReader } from "../access/require-reader.ts";
import { parseStateId } from "../db/change.ts";
import type { AppEnv } from "../http/app-env.ts";
import { errors, eventStream, readerSecurity, SESSION_ERRORS } from "../http/openapi.ts";
import { headers, lastEventIdParameter } from "../http/openapi-headers.ts";
import { EVENT_HEADERS, streamEvents } from "../live/event-stream.ts";
import { openRunStream, runStream } from "../live/run-stream.ts";
import { Uuid } from "../uuid.ts";

export const streamWorkflowRunRoute = createRoute({
	method: "get",
	path: "/api/chats/{chatId}/workflow-runs/{runId}/stream",
	operationId: "streamWorkflowRun",
	summary: "Follow one workflow run",
	description:
		"Server-sent events. `run`: the whole run, at first and whenever it has changed. `end`: `{ reason }`, run_ended once " +
		"the run is completed, failed or cancelled, and that is not only assumed; else as for a chat's stream: there is no use in coming back.",
	tags: ["Workflow runs"],
	security: readerSecurity,
	middleware: requireReader,
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
	const { scope, session, rereadSession } = c.var;
	const since = parseStateId(c.req.header("last-event-id"));
	const opening = await openRunStream(scope, session, chatId, runId, since);
	const { start, first, hasEnded } = opening;
	if (hasEnded && first.length === 0) return c.body(null, 204, { "cache-control": "private, no-store" });
	const { endsAt: sessionEndsAt } = await session;
	const kind = runStream(scope, chatId, runId, opening);
	const next = hasEnded ? "run_ended" : { chatId, start, kind, rereadSession, sessionEndsAt };
	return c.body(streamEvents(scope, { signal: c.req.raw.signal, first, next }), 200, EVENT_HEADERS);
};
