import type { WorkflowRun, WorkflowRunReport, WorkflowRunStatus } from "../protocol/types.ts";
import { chatPath, connectTo, readData, runsPath, type ServiceOptions } from "./service.ts";
import { watch } from "./watch.ts";

export type * from "../protocol/types.ts";
export { EdgeRunsError, type EdgeRunsErrorCode, type ServiceErrorCode } from "./errors.ts";

export interface ClientOptions extends ServiceOptions {}

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
	/** Recorders: registers a chat with its owner. The same again changes nothing; `restore` brings a deleted chat back. */
	registerChat(
		chatId: string,
		userId: string,
		options?: { restore?: boolean | undefined },
	): Promise<{ bookmark: string | null }>;
	/** Recorders: reports a run. It may be sent twice, late or out of order. */
	recordWorkflowRun(
		chatId: string,
		runId: string,
		report: WorkflowRunReport,
	): Promise<{ workflowRun: WorkflowRun; bookmark: string | null }>;
}

/**
 * A client of edge-runs, for browsers, Node and Workers. Every method throws an EdgeRunsError where the service refuses.
 * @param baseUrl where the service is, e.g. `https://runs.example.com`; a page that the service itself serves may say `"/"`
 * @throws {TypeError} at once, where `baseUrl` is no such address
 */
export function createClient(baseUrl: string, options: ClientOptions = {}): EdgeRunsClient {
	const send = connectTo(baseUrl, options);

	return {
		async listWorkflowRuns(chatId, { status, limit, cursor, ...rest } = {}) {
			const query = {
				...(status && { status: status.join() }),
				...(limit !== undefined && { limit: String(limit) }),
				...(cursor !== undefined && { cursor }),
			};
			const response = await send(runsPath(chatId), { query, ...reading(rest) });
			return { ...(await readData<Omit<WorkflowRunPage, "bookmark">>(response)), bookmark: bookmarkOf(response) };
		},
		async getWorkflowRun(chatId, runId, options = {}) {
			const response = await send(runsPath(chatId, runId), reading(options));
			return (await readData<{ workflowRun: WorkflowRun }>(response)).workflowRun;
		},
		watchWorkflowRuns(chatId, { signal } = {}) {
			const connect = async (lastEventId: string | undefined, lineSignal: AbortSignal) =>
				send(`${runsPath(chatId)}/stream`, {
					headers: lastEventId === undefined ? {} : { "last-event-id": lastEventId },
					signal: lineSignal,
				});
			return watch(connect, signal);
		},
		async registerChat(chatId, userId, { restore } = {}) {
			const json = { userId, ...(restore !== undefined && { restore }) };
			const response = await send(chatPath(chatId), { method: "PUT", json });
			await readData(response);
			return { bookmark: bookmarkOf(response) };
		},
		async recordWorkflowRun(chatId, runId, report) {
			const response = await send(runsPath(chatId, runId), { method: "PUT", json: report });
			return { ...(await readData<{ workflowRun: WorkflowRun }>(response)), bookmark: bookmarkOf(response) };
		},
	};
}

const reading = ({ bookmark, signal }: ReadOptions) => ({
	signal,
	...(bookmark !== undefined && { headers: { "x-d1-bookmark": bookmark } }),
});

const bookmarkOf = ({ headers }: Response) => headers.get("x-d1-bookmark");
