import { createRoute, type RouteHandler, z } from "@hono/zod-openapi";
import { requireReader } from "../access/require-reader.ts";
import { parseStateId } from "../db/change.ts";
import type { AppEnv } from "../http/app-env.ts";
import { errors, eventStream, readerSecurity, SESSION_ERRORS } from "../http/openapi.ts";
import { lastEventIdParameter } from "../http/openapi-headers.ts";
import { chatStream, openChatStream } from "../live/chat-stream.ts";
import { EVENT_HEADERS, streamEvents } from "../live/event-stream.ts";
import { Uuid } from "../uuid.ts";

export const streamWorkflowRunsRoute = createRoute({
	method: "get",
	path: "/api/chats/{chatId}/workflow-runs/stream",
	operationId: "streamWorkflowRuns",
	summary: "Follow a chat's workflow runs",
	description:
		"Server-sent events. `snapshot`: `{ workflowRuns }`, all runs, at first and where one has gone. `run`: a whole run, " +
		"new or changed. `end`: `{ reason }`, one of session_ended, chat_deleted and chat_forbidden: there is no use in coming " +
		"back. An event's id names the state that the client then has; where it comes back with that as `Last-Event-ID`, " +
		"it gets what has changed since: nothing, the changed runs, or a `snapshot` where that cannot be told. An event without an id has more to come of the same change: several runs that " +
		"changed at once, or a large chat's `snapshot` with `run` events behind it. Comments are heartbeats. After an hour at the latest the stream closes, and " +
		"the client comes back.",
	tags: ["Workflow runs"],
	security: readerSecurity,
	middleware: requireReader,
	request: { params: z.object({ chatId: Uuid }) },
	parameters: [lastEventIdParameter],
	responses: { ...eventStream, ...errors(...SESSION_ERRORS) },
});

export const handleStreamWorkflowRuns: RouteHandler<typeof streamWorkflowRunsRoute, AppEnv> = async (c) => {
	const { chatId } = c.req.valid("param");
	const { scope, session, rereadSession } = c.var;
	const since = parseStateId(c.req.header("last-event-id"));
	const { start, userId, first } = await openChatStream(scope, session, chatId, since);
	const { endsAt: sessionEndsAt } = await session;
	const kind = chatStream(scope, chatId, userId);
	const next = { chatId, start, kind, rereadSession, sessionEndsAt };
	return c.body(streamEvents(scope, { signal: c.req.raw.signal, first, next }), 200, EVENT_HEADERS);
};
