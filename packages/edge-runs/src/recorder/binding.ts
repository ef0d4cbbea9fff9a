import type { WorkflowRun, WorkflowRunReport, WorkflowRunStep } from "../protocol/types.ts";

/**
 * JSON, as deep as Cloudflare's types can follow it. They look into every type that an entrypoint answers with, and
 * fail at a type that contains itself.
 */
type Output = object | string | number | boolean | null;

/** A step, as it comes over a service binding. */
export type StepOverRpc = Omit<WorkflowRunStep, "output"> & { output?: Output | undefined };

/** A run, as it comes over a service binding. */
export type RunOverRpc = Omit<WorkflowRun, "output" | "steps"> & { output?: Output | undefined; steps: StepOverRpc[] };

/** Every verb's answer has this beside its result. */
export interface Written {
	/** Send it as `x-d1-bookmark` with a read: the answer then includes this write. */
	bookmark: string | null;
}

/** What every verb that takes reports answers beside its result. */
export interface Reported extends Written {
	/** What the service left out of the report, and why. Empty: nothing. */
	warnings: string[];
}

/**
 * The type of the service's entrypoint for Workers that bind it: `RUNS: Service<WorkflowRunRecorder>`. The verbs are
 * those of the HTTP API; each throws an error whose message is `CODE: what is wrong (request ID)`.
 *
 * Only a type: it imports neither the service's sources nor Cloudflare's types.
 */
export interface WorkflowRunRecorder {
	/** `Service` recognises an entrypoint by it: `Rpc.WorkerEntrypointBranded` of `@cloudflare/workers-types`. */
	__WORKER_ENTRYPOINT_BRAND: never;
	/** Registers a chat with its owner; `restore` brings a deleted chat back. `created`: whether the chat is new. */
	registerChat(
		chatId: string,
		registration: { userId: string; restore?: boolean | undefined },
	): Promise<Written & { created: boolean }>;
	/** Deletes a chat softly: registering it with `restore: true` brings it back with its runs. */
	deleteChat(chatId: string): Promise<Written>;
	/** Reports one run. Answers the merged run, and whether it is new. */
	recordWorkflowRun(
		chatId: string,
		runId: string,
		report: WorkflowRunReport,
	): Promise<Reported & { workflowRun: RunOverRpc; created: boolean }>;
	/**
	 * Reports 1 to 100 runs, all of them or nothing. Answers the merged runs, each once, and the ids of those that are new.
	 * Of an answer over 4 MB, `truncated` has the ids of those that come without their steps and optional fields.
	 */
	recordWorkflowRuns(
		chatId: string,
		reports: { workflowRuns: (WorkflowRunReport & { id: string })[] },
	): Promise<Reported & { workflowRuns: RunOverRpc[]; created: string[]; truncated?: string[] | undefined }>;
}
