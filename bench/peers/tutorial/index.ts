import { and, asc, desc, eq, isNull } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { Hono } from "hono";
import { getSignedCookie } from "hono/cookie";
import type { Env, StoredSession } from "../env.ts";
import { isValid } from "../session.ts";
import * as schema from "./schema.ts";

/** As the documentation of Hono and of Drizzle's relational queries shows it: session, then chat, then runs with steps. */
const app = new Hono<{ Bindings: Env }>();

app.get("/api/chats/:chatId/workflow-runs", async (c) => {
	const token = await getSignedCookie(c, c.env.BETTER_AUTH_SECRET, "better-auth.session_token");
	const session = token ? await c.env.SESSIONS.get<StoredSession>(token, "json") : null;
	if (!isValid(session)) return c.json({ error: "Unauthorized" }, 401);

	const db = drizzle(c.env.DB, { schema });
	const chat = await db.query.chats.findFirst({
		where: and(eq(schema.chats.id, c.req.param("chatId")), isNull(schema.chats.deletedAt)),
	});
	if (!chat) return c.json({ error: "Not Found" }, 404);
	if (chat.userId !== session.session.userId) return c.json({ error: "Forbidden" }, 403);

	const runs = await db.query.workflowRuns.findMany({
		columns: { startOrder: false },
		where: eq(schema.workflowRuns.chatId, chat.id),
		orderBy: [desc(schema.workflowRuns.startOrder), desc(schema.workflowRuns.id)],
		with: { steps: { columns: { runId: false }, orderBy: asc(schema.steps.position) } },
	});
	const workflowRuns = runs.map((run) => ({
		...run,
		error: run.error ?? undefined,
		steps: run.steps.map((step) => ({
			...step,
			error: step.error ?? undefined,
			name: step.name ?? undefined,
			position: step.position ?? undefined,
		})),
	}));
	return c.json({ data: { workflowRuns } });
});

export default app;
