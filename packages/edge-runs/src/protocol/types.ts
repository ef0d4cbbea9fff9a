/*
 * The shapes on the wire, written out so that they need none of the server's types. A test compares them with the
 * schemas. An optional field is there only if it was recorded.
 */

export type WorkflowRunStatus = "pending" | "running" | "completed" | "failed" | "cancelled";

/** Any JSON. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };

export interface WorkflowRunError {
	/** Over 4,000 characters it is cut. */
	message: string;
}

/** What a run or step that has not ended is doing now. */
export interface WorkflowRunActivity {
	/** When this was so: ISO 8601, UTC, milliseconds. */
	at: string;
	/** For people. Over 4,000 characters it is cut. */
	message: string;
	/** Whether it waits for somebody, as for an approval. */
	waiting?: boolean | undefined;
	/** How far it is, from 0 to 1. */
	progress?: number | undefined;
}

/** Up to 20 named finite numbers, such as tokens, cost, items. */
export type WorkflowRunMetrics = { [name: string]: number };

/** The fields that runs and steps share. */
interface Progress {
	status: WorkflowRunStatus;
	/** ISO 8601, UTC, milliseconds; null until then. */
	startedAt: string | null;
	/** ISO 8601, UTC, milliseconds; null until then. */
	completedAt: string | null;
	error?: WorkflowRunError | undefined;
	/** The result: up to 16,384 bytes of JSON. */
	output?: JsonValue | undefined;
	/** Which try this is, from 1; left out means 1. A higher one counts before anything else. */
	attempt?: number | undefined;
	/** Only until it has ended. */
	activity?: WorkflowRunActivity | undefined;
	metrics?: WorkflowRunMetrics | undefined;
}

export interface WorkflowRunStep extends Progress {
	/** Unique within its run; 1 to 200 characters. */
	id: string;
	/** Over 200 characters it is cut. */
	name?: string | undefined;
	/** Where it stands in the run. */
	position?: number | undefined;
	/** The step of the same run that this one is part of, by its id. */
	parentId?: string | undefined;
}

export interface WorkflowRun extends Progress {
	/** UUID, lower case. */
	id: string;
	chatId: string;
	workflowId: string;
	/** The workflow's name for people. Over 200 characters it is cut. */
	workflowName?: string | undefined;
	/** The engine's own run id; 1 to 200 characters. */
	externalId?: string | undefined;
	/** The chat message that started it; 1 to 200 characters. */
	messageId?: string | undefined;
	/** The run that started this one: a UUID, lower case. */
	parentRunId?: string | undefined;
	/** Nobody reported this end. The service assumed it, since it heard nothing for long. A reported end counts before it. */
	assumed?: true | undefined;
	/** In their order. */
	steps: WorkflowRunStep[];
}

type Unsaid = "startedAt" | "completedAt";

/** A recorder's report of a step. Empty fields may be left out. */
export type WorkflowRunStepReport = Omit<WorkflowRunStep, Unsaid> & Partial<Pick<WorkflowRunStep, Unsaid>>;

/** A recorder's report of a run. */
export type WorkflowRunReport = Omit<WorkflowRun, "id" | "chatId" | "steps" | Unsaid> &
	Partial<Pick<WorkflowRun, "id" | "chatId" | Unsaid>> & { steps?: WorkflowRunStepReport[] };
