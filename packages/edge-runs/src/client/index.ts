import type { WorkflowRun, WorkflowRunReport, WorkflowRunStatus } from "../protocol/types.ts";
import { followBy } from "./follow-by.ts";
import type { FollowOptions, WorkflowRunsFollower } from "./follower.ts";
import {
	type ActiveCounts,
	chatPath,
	connectTo,
	countActive,
	readData,
	runPath,
	runsPath,
	type ServiceOptions,
} from "./service.ts";
import { type WatchOptions, watch } from "./watch.ts";

export type * from "../protocol/types.ts";
export { EdgeRunsError, type EdgeRunsErrorCode, type ServiceErrorCode } from "./errors.ts";

export type { FollowOptions, WorkflowRunsFollower } from "./follower.ts";
export type { RunsChange } from "./runs.ts";
export type { EndReason, LineState, LossReason } from "./state.ts";
export type { WatchOptions } from "./watch.ts";

export interface ClientOptions extends ServiceOptions {}

export interface ReadOptions {
	/** The bookmark of an earlier answer. The new answer then includes everything that the earlier one did. */
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
	/** Only runs that started then or later: a Date, or ISO 8601 with a time zone. */
	startedAfter?: Date | string | undefined;
	/** Only runs that started before. */
	startedBefore?: Date | string | undefined;
	/** `"none"`: each run's `steps` is empty, whatever steps it has. For lists that show none. */
	steps?: "none" | undefined;
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
	/** A page of the runs of all chats that the user owns. `limit` is 50 unless it is given. */
	listUserWorkflowRuns(options?: ListOptions): Promise<WorkflowRunPage>;
	/** How many of them have not ended, up to 1,000 of each status: for a badge. */
	countActiveWorkflowRuns(options?: ReadOptions): Promise<ActiveCounts>;
	/**
	 * A chat's runs at once, and again whenever one changes, until `signal` ends it. A lost connection is opened
	 * again, and nothing is missed. Use `onState`: without it, a service that cannot be reached looks like a slow one.
	 */
	watchWorkflowRuns(chatId: string, options?: WatchOptions): AsyncGenerator<WorkflowRun[], void, undefined>;
	/** The same for user interfaces: an object that keeps the runs and the state of the connection, until it is closed. */
	followWorkflowRuns(chatId: string, options?: FollowOptions): WorkflowRunsFollower;
	/** Recorders: registers a chat with its owner. Repeating it changes nothing. `restore` brings a deleted chat back. */
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
 * A client of edge-runs, for browsers, Node and Workers. Every method throws an EdgeRunsError if the service refuses.
 * @param baseUrl the service's address, e.g. `https://runs.example.com`. A page of the service itself may use `"/"`
 * @throws {TypeError} at once, if `baseUrl` is not an address
 */
export function createClient(baseUrl: string, options: ClientOptions = {}): EdgeRunsClient {
	const send = connectTo(baseUrl, options);
	const followRuns = followBy(send, options);

	return {
		async listWorkflowRuns(chatId, options = {}) {
			const response = await send(runsPath(chatId) + searchOf(options), reading(options));
			return { ...(await readData<Omit<WorkflowRunPage, "bookmark">>(response)), bookmark: bookmarkOf(response) };
		},
		async getWorkflowRun(chatId, runId, options = {}) {
			const response = await send(runPath(chatId, runId), reading(options));
			return (await readData<{ workflowRun: WorkflowRun }>(response)).workflowRun;
		},
		async listUserWorkflowRuns(options = {}) {
			const response = await send(`/api/workflow-runs${searchOf(options)}`, reading(options));
			return { ...(await readData<Omit<WorkflowRunPage, "bookmark">>(response)), bookmark: bookmarkOf(response) };
		},
		async countActiveWorkflowRuns(options = {}) {
			return countActive(send, reading(options));
		},
		watchWorkflowRuns(chatId, watchOptions = {}) {
			return watch((followOptions) => followRuns(chatId, followOptions), watchOptions);
		},
		followWorkflowRuns: followRuns,
		async registerChat(chatId, userId, { restore } = {}) {
			const json = { userId, ...(restore !== undefined && { restore }) };
			const response = await send(chatPath(chatId), putting(json));
			await readData(response);
			return { bookmark: bookmarkOf(response) };
		},
		async recordWorkflowRun(chatId, runId, report) {
			const response = await send(runPath(chatId, runId), putting(report));
			return { ...(await readData<{ workflowRun: WorkflowRun }>(response)), bookmark: bookmarkOf(response) };
		},
	};
}

const time = (moment: Date | string) => (typeof moment === "string" ? moment : moment.toISOString());

/** The query of an address, with its question mark; empty where nothing is asked for. */
function searchOf({ status, limit, cursor, startedAfter, startedBefore, steps }: ListOptions): string {
	const query = new URLSearchParams({
		...(status && { status: status.join() }),
		...(limit !== undefined && { limit: String(limit) }),
		...(cursor !== undefined && { cursor }),
		...(startedAfter !== undefined && { startedAfter: time(startedAfter) }),
		...(startedBefore !== undefined && { startedBefore: time(startedBefore) }),
		...(steps && { steps }),
	}).toString();
	return query && `?${query}`;
}

const putting = (body: unknown) =>
	({ method: "PUT", headers: { "content-type": "application/json" }, body: JSON.stringify(body) }) as const;

const reading = ({ bookmark, signal }: ReadOptions) => ({
	signal,
	...(bookmark !== undefined && { headers: { "x-d1-bookmark": bookmark } }),
});

const bookmarkOf = ({ headers }: Response) => headers.get("x-d1-bookmark");
