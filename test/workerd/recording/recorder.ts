import { createExecutionContext, createScheduledController, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { Env } from "../../../src/env.ts";
import worker from "../../../src/index.ts";
import type { WorkflowRun } from "../../../src/workflow-runs/schemas.ts";
import { request, runsPath, signIn, uuid } from "../helpers.ts";

/** The service tokens, and the operator tokens, of vitest.config.ts. */
export const TOKENS = env.RECORDER_TOKENS.split(",") as [string, string];
export const OPERATOR_TOKENS = env.OPERATOR_TOKENS.split(",") as [string, string];

/** A recorder's request with a JSON body, for `request` and `requestWith`. */
export function recording(method: string, body?: unknown, headers: Record<string, string> = {}): RequestInit {
	return {
		method,
		headers: { authorization: `Bearer ${TOKENS[0]}`, "content-type": "application/json", ...headers },
		...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
	};
}

/** A registered chat and its owner's session. */
export interface OwnedChat {
	chat: string;
	user: string;
	cookie: string;
}

export async function registeredChat(owner?: { user: string; cookie: string }): Promise<OwnedChat> {
	const chat = uuid();
	const user = owner?.user ?? uuid();
	const cookie = owner?.cookie ?? (await signIn(user)).cookie;
	const { status } = await request(`/api/chats/${chat}`, recording("PUT", { userId: user }));
	if (status !== 201) throw new Error(`registering a chat answered ${status}`);
	return { chat, user, cookie };
}

/** A valid report of a run, completed unless it says otherwise. */
export function report(more: Record<string, unknown> = {}): Record<string, unknown> {
	return {
		workflowId: "c2d29867-3d0b-4497-9191-18a9d8ee7830",
		status: "completed",
		startedAt: "2024-02-04T12:00:00.000Z",
		completedAt: "2024-02-04T12:01:30.000Z",
		steps: [],
		...more,
	};
}

export const putRun = (chat: string, id: string, body: unknown) =>
	request(`${runsPath(chat)}/${id}`, recording("PUT", body));

export const patchRuns = (chat: string, workflowRuns: readonly unknown[]) =>
	request(runsPath(chat), recording("PATCH", { workflowRuns }));

/** What the chat's owner sees once everything up to a write's response is visible. */
export async function readList({ chat, cookie }: OwnedChat, after: Response) {
	const bookmark = after.headers.get("x-d1-bookmark") as string;
	const response = await request(runsPath(chat), { headers: { cookie, "x-d1-bookmark": bookmark } });
	const text = await response.text();
	const { workflowRuns } = JSON.parse(text).data as { workflowRuns: WorkflowRun[] };
	return { text, workflowRuns, etag: response.headers.get("etag") as string };
}

/** A chat's revision, as D1 has it. */
export function revisionOf(chat: string): Promise<string | null> {
	return env.DB.prepare("select revision from chats where id = ?").bind(chat).first<string>("revision");
}

/** All that D1 holds, to show that a refused request left it as it was. */
export async function wholeDatabase(): Promise<string> {
	const [chats, runs] = await env.DB.batch([
		env.DB.prepare("select * from chats order by id"),
		env.DB.prepare("select * from workflow_runs order by id"),
	]);
	return JSON.stringify([chats?.results, runs?.results]);
}

/** Has the cron run, with other bindings or vars. */
export async function runCron(changed: Partial<Env>, at: Date): Promise<void> {
	const context = createExecutionContext();
	const controller = createScheduledController({ scheduledTime: at, cron: "17 * * * *" });
	await worker.scheduled(controller, { ...env, ...changed }, context);
	await waitOnExecutionContext(context);
}
