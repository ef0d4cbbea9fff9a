export type * from "../protocol/types.ts";
export { ID_NAMESPACE, uuidFor } from "../protocol/uuid.ts";
export type { RunOverRpc, StepOverRpc, WorkflowRunRecorder, Written } from "./binding.ts";
export { RecorderError, type RecorderErrorKind } from "./errors.ts";
export { createReadToken, type ReadTokenOptions } from "./read-token.ts";
export { createRecorder } from "./recorder.ts";
export type { ActivityOptions, RunHandle, RunOptions, StepHandle } from "./run-types.ts";
export type { FlushOptions, Recorder, RecorderBinding, RecorderOptions, RunReport } from "./types.ts";
