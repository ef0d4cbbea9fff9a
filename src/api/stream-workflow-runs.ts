import { createRoute, type RouteHandler, z } from "@hono/zod-openapi";
import { requireSession } from "../access/require-session.ts";
import type { AppEnv } from "../http/app-env.ts";
import { errors, eventStream, SESSION_ERRORS, sessionSecurity } from "../http/openapi.ts";
import { lastEventIdParameter } from "../http/openapi-headers.ts";
import { Uuid } from "../uuid.ts";
import { type History, readHistory } from "../workflow-runs/history.ts";
import { listData, parseList } from "../workflow-runs/json.ts";
import { eventId, streamHistory, type Teller } from "./events.ts";

export const streamWorkflowRunsRoute = createRoute({
	method: "get",
	path: "/api/chats/{chatId}/workflow-runs/stream",
	operationId: "streamWorkflowRuns",
	summary: "Follow a chat's workflow runs",
	description:
		"Server-sent events. `snapshot`: `{ workflowRuns }`, all runs, at first and where one has gone. `run`: a whole run, " +
		"new or changed. `end`: `{ reason }`, one of session_ended, chat_deleted and chat_forbidden: there is no use in coming " +
		"back. An event's id names the state that the client then has; where it comes back with that as `Last-Event-ID`, " +
		"an unchanged state is not sent again. An event without an id has more to come of the same change: several runs that " +
		"changed at once, or a large chat's `snapshot` with `run` events behind it. Comments are heartbeats. After an hour at the latest the stream closes, and " +
		"the client comes back.",
	tags: ["Workflow runs"],
	security: sessionSecurity,
	middleware: requireSession,
	request: { params: z.object({ chatId: Uuid }) },
	parameters: [lastEventIdParameter],
	responses: { ...eventStream, ...errors(...SESSION_ERRORS) },
});

export const handleStreamWorkflowRuns: RouteHandler<typeof streamWorkflowRunsRoute, AppEnv> = async (c) => {
	const { chatId } = c.req.valid("param");
	const first = await readHistory(c.var.scope, c.var.session, chatId);
	return streamHistory(c, chatId, first, allRuns);
};

const allRuns: Teller = {
	async tellFirst(events, first) {
		await events.writeSSE({ event: "snapshot", data: listData(first.body), id: eventId(first) });
		return undefined;
	},
	async tellChange(events, now, before) {
		const known = runsOf(before);
		const runs = runsOf(now);
		// A `run` event cannot say that a run has gone.
		if ([...known.keys()].some((id) => !runs.has(id))) return this.tellFirst(events, now);
		const changed = [...runs].filter(([id, run]) => known.get(id) !== run).map(([, run]) => run);
		for (const [index, data] of changed.entries()) {
			// Only the last has the id: who loses the line between them is not up to date.
			const isLast = index === changed.length - 1;
			await events.writeSSE({ event: "run", data, ...(isLast && { id: eventId(now) }) });
		}
		return undefined;
	},
};

/** Each run's JSON by its id. */
function runsOf({ body }: History): Map<string, string> {
	return new Map(parseList(body).map((run) => [run.id, JSON.stringify(run)]));
}
