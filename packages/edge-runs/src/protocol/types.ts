/*
 * What the client gives and takes, spelled out so that its declarations need nothing of the server's.
 * A test holds them against the wire schemas.
 */

export type WorkflowRunStatus = "pending" | "running" | "completed" | "failed" | "cancelled";

export interface WorkflowRunStep {
	/** Unique within its run. */
	id: string;
	status: WorkflowRunStatus;
	/** ISO 8601, UTC, milliseconds; null until then. */
	startedAt: string | null;
	/** ISO 8601, UTC, milliseconds; null until then. */
	completedAt: string | null;
	/** Only where one was recorded. */
	error?: { message: string } | undefined;
	/** Only where one was recorded. */
	name?: string | undefined;
	/** Where it stands in the run; only where one was recorded. */
	position?: number | undefined;
}

export interface WorkflowRun {
	/** UUID, lower case. */
	id: string;
	chatId: string;
	workflowId: string;
	status: WorkflowRunStatus;
	startedAt: string | null;
	completedAt: string | null;
	error?: { message: string } | undefined;
	/** In their order. */
	steps: WorkflowRunStep[];
}

type Unsaid = "startedAt" | "completedAt";

/** What a recorder reports of a step. What says nothing may be left out. */
export type WorkflowRunStepReport = Omit<WorkflowRunStep, Unsaid> & Partial<Pick<WorkflowRunStep, Unsaid>>;

/** What a recorder reports of a run. */
export type WorkflowRunReport = Omit<WorkflowRun, "id" | "chatId" | "steps" | Unsaid> &
	Partial<Pick<WorkflowRun, "id" | "chatId" | Unsaid>> & { steps?: WorkflowRunStepReport[] };
