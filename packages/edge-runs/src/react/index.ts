"use client";

export { EdgeRunsError, type EdgeRunsErrorCode } from "../client/errors.ts";
export type { EndReason, LineState, LossReason } from "../client/state.ts";
export type * from "../protocol/types.ts";
export type { ActiveRuns, UseActiveRuns } from "./active-runs.ts";
export type { ChatRuns } from "./chats.ts";
export {
	type UseWorkflowRun,
	type UseWorkflowRuns,
	type UseWorkflowRunsOptions,
	useActiveRuns,
	useWorkflowRun,
	useWorkflowRuns,
} from "./hooks.ts";
export { EdgeRunsProvider, type EdgeRunsProviderProps } from "./provider.ts";
export { WorkflowRuns, type WorkflowRunsProps } from "./workflow-runs.ts";
