import type { Env, StoredSession } from "./env.ts";
import { isValid, signedToken } from "./session.ts";

const PATH = /^\/api\/chats\/([0-9a-f-]{36})\/workflow-runs$/;

const CHAT = "select user_id as userId from chats where id = ? and deleted_at is null";
const RUNS = `select id, chat_id as chatId, workflow_id as workflowId, status, started_at as startedAt,
	completed_at as completedAt, error from workflow_runs where chat_id = ? order by start_order desc, id desc`;
const STEPS = `select s.run_id as runId, s.id, s.status, s.started_at as startedAt, s.completed_at as completedAt,
	s.error, s.name, s.position from workflow_runs r join steps s on s.run_id = r.id
	where r.chat_id = ? order by s.run_id, s.position`;

interface State {
	id: string;
	status: string;
	startedAt: string | null;
	completedAt: string | null;
	error: string | null;
}
type Run = State & { chatId: string; workflowId: string };
type Step = State & { runId: string; name: string | null; position: number | null };

/** Without a framework or an ORM: KV, then one D1 batch of three selects, then `JSON.stringify`. */
export default {
	async fetch(request, env) {
		const [, chatId] = PATH.exec(new URL(request.url).pathname) ?? [];
		if (!chatId) return new Response(null, { status: 404 });
		const token = await signedToken(request, env.BETTER_AUTH_SECRET);
		const session = token === null ? null : await env.SESSIONS.get<StoredSession>(token, "json");
		if (!isValid(session)) return new Response(null, { status: 401 });

		const statements = [CHAT, RUNS, STEPS].map((sql) => env.DB.prepare(sql).bind(chatId));
		const results = (await env.DB.batch(statements)) as [D1Result<{ userId: string }>, D1Result<Run>, D1Result<Step>];
		const [{ results: chats }, { results: runs }, { results: steps }] = results;
		const [owner] = chats;
		if (!owner) return new Response(null, { status: 404 });
		if (owner.userId !== session.session.userId) return new Response(null, { status: 403 });
		return Response.json({ data: { workflowRuns: nest(runs, steps) } });
	},
} satisfies ExportedHandler<Env>;

function nest(runs: Run[], steps: Step[]) {
	const byRun = Map.groupBy(steps, (step) => step.runId);
	return runs.map((run) => ({
		...run,
		error: parse(run.error),
		// JSON.stringify leaves out what is undefined.
		steps: (byRun.get(run.id) ?? []).map(({ runId, ...step }) => ({
			...step,
			error: parse(step.error),
			name: step.name ?? undefined,
			position: step.position ?? undefined,
		})),
	}));
}

const parse = (error: string | null) => (error === null ? undefined : JSON.parse(error));
