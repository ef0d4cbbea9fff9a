import { hc } from "hono/client";
import type { WorkflowRun, WorkflowRunReport, WorkflowRunStatus } from "#protocol/types.ts";
import type { AppType } from "../app.ts";
import { type Answer, toError } from "./errors.ts";
import { watch } from "./watch.ts";

export type * from "#protocol/types.ts";
export { EdgeRunsError, type EdgeRunsErrorCode } from "./errors.ts";

export interface ClientOptions {
	/** Sent with each request, e.g. `{ authorization: "Bearer …" }` of a recorder, or `{ cookie }` where there is no browser. */
	headers?: Record<string, string>;
	/** `"include"` for a page on another origin, which the service must allow. */
	credentials?: "include" | "same-origin" | "omit";
	/** Instead of the global one, e.g. a service binding's. */
	fetch?: typeof fetch;
}

export interface ReadOptions {
	/** The bookmark of an earlier answer: this one includes all that it saw. */
	bookmark?: string | undefined;
	signal?: AbortSignal | undefined;
}

export interface ListOptions extends ReadOptions {
	/** Only runs of these statuses. */
	status?: WorkflowRunStatus[] | undefined;
	/** 1 to 100. */
	limit?: number | undefined;
	/** A `nextCursor`. */
	cursor?: string | undefined;
}

export interface WorkflowRunPage {
	workflowRuns: WorkflowRun[];
	/** Only with `limit` or `cursor`: where to go on, null at the end. */
	nextCursor?: string | null | undefined;
	bookmark: string | null;
}

export interface EdgeRunsClient {
	/** A chat's runs: all of them, or a page. */
	listWorkflowRuns(chatId: string, options?: ListOptions): Promise<WorkflowRunPage>;
	getWorkflowRun(chatId: string, runId: string, options?: ReadOptions): Promise<WorkflowRun>;
	/**
	 * A chat's runs at once, and again whenever one changes, until `signal` ends it. A line that drops is taken up again
	 * without loss.
	 */
	watchWorkflowRuns(chatId: string, options?: { signal?: AbortSignal | undefined }): AsyncGenerator<WorkflowRun[]>;
	/** Recorders: registers a chat with its owner. The same again changes nothing. */
	registerChat(chatId: string, userId: string): Promise<{ bookmark: string | null }>;
	/** Recorders: reports a run. It may be sent twice, late or out of order. */
	recordWorkflowRun(
		chatId: string,
		runId: string,
		report: WorkflowRunReport,
	): Promise<{ workflowRun: WorkflowRun; bookmark: string | null }>;
}

/**
 * A client of edge-runs, for browsers, Node and Workers. Every method throws an EdgeRunsError where the service refuses.
 * @param baseUrl where the service is, e.g. `https://runs.example.com`
 */
export function createClient(baseUrl: string, options: ClientOptions = {}): EdgeRunsClient {
	const { headers = {}, credentials, fetch: send = (input, init) => fetch(input, init) } = options;
	// Workers know no `credentials` and refuse the word.
	const init = credentials ? ({ credentials } as RequestInit) : {};
	const api = hc<AppType>(baseUrl, { headers, init, fetch: send }).api.chats[":chatId"];
	const runs = api["workflow-runs"];
	const run = runs[":runId"];

	const until = (signal: AbortSignal | undefined) => (signal ? { init: { ...init, signal } } : {});
	const read = ({ bookmark, signal }: ReadOptions) => ({
		...until(signal),
		headers: { ...headers, ...(bookmark !== undefined && { "x-d1-bookmark": bookmark }) },
	});

	return {
		async listWorkflowRuns(chatId, { status, limit, cursor, ...rest } = {}) {
			const query = {
				...(status && { status: status.join() }),
				...(limit !== undefined && { limit: String(limit) }),
				...(cursor !== undefined && { cursor }),
			};
			const response = await ok(runs.$get({ param: { chatId }, query }, read(rest)));
			return { ...(await response.json()).data, bookmark: bookmarkOf(response) };
		},
		async getWorkflowRun(chatId, runId, rest = {}) {
			const response = await ok(run.$get({ param: { chatId, runId } }, read(rest)));
			return (await response.json()).data.workflowRun;
		},
		watchWorkflowRuns(chatId, { signal } = {}) {
			const connect = (lastEventId: string | undefined, lineSignal: AbortSignal) => {
				const resume = lastEventId === undefined ? {} : { "last-event-id": lastEventId };
				return runs.stream.$get({ param: { chatId } }, { ...until(lineSignal), headers: { ...headers, ...resume } });
			};
			return watch(connect, signal);
		},
		async registerChat(chatId, userId) {
			const response = await ok(api.$put({ param: { chatId }, json: { userId } }));
			return { bookmark: bookmarkOf(response) };
		},
		async recordWorkflowRun(chatId, runId, report) {
			const response = await ok(run.$put({ param: { chatId, runId }, json: report }));
			return { workflowRun: (await response.json()).data.workflowRun, bookmark: bookmarkOf(response) };
		},
	};
}

/** @throws {EdgeRunsError} unless the answer is a success; 304 is none, as no entity tag was sent */
async function ok<T extends Answer>(answer: Promise<T>): Promise<Exclude<T, { status: 304 }>> {
	const response = await answer;
	if (!response.ok) throw await toError(response);
	return response as Exclude<T, { status: 304 }>;
}

const bookmarkOf = ({ headers }: Answer) => headers.get("x-d1-bookmark");
