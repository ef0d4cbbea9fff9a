/// <reference lib="esnext.disposable" preserve="true" />
import type { WorkflowRunReport } from "../protocol/types.ts";
import type { RecorderError } from "./errors.ts";
import type { RunHandle, RunOptions } from "./run-types.ts";

/** The methods of a service binding to the entrypoint `WorkflowRunRecorder` that the recorder calls. */
export interface RecorderBinding {
	registerChat(chatId: string, registration: { userId: string }): PromiseLike<unknown>;
	recordWorkflowRuns(
		chatId: string,
		reports: { workflowRuns: (WorkflowRunReport & { id: string })[] },
	): PromiseLike<unknown>;
}

export interface RecorderOptions {
	/** Where the service is, e.g. `https://runs.example.com`. Not needed with `binding`. */
	url?: string | undefined;
	/** A service token: one of the service's `RECORDER_TOKENS`. Not needed with `binding`. */
	token?: string | undefined;
	/** Instead of `url` and `token`, in a Worker: its service binding to the entrypoint `WorkflowRunRecorder`. */
	binding?: RecorderBinding | undefined;
	/** Used instead of the global `fetch`. */
	fetch?: typeof fetch | undefined;
	/** Gets every error. None of them reaches the workflow. Default: one `console.warn` for each kind. */
	onError?: ((error: RecorderError) => void) | undefined;
	/** In a Worker: `ctx.waitUntil.bind(ctx)`, so that reports are still sent after the response. */
	waitUntil?: ((promise: Promise<unknown>) => void) | undefined;
	/**
	 * After this time without a report, the recorder reports that an active run is still alive. 0: never. Default: 60, and
	 * 0 on Workers, where no timer lives longer than its request.
	 */
	heartbeatSeconds?: number | undefined;
	/** How long a report may wait, so that others are sent with it. Default: 20. */
	delayMilliseconds?: number | undefined;
	/** How long a request may take. Default: 15. */
	timeoutSeconds?: number | undefined;
	/** The first pause after a failure. It doubles with each failure, up to 30 s. Default: 500. */
	retryMilliseconds?: number | undefined;
	/**
	 * About how much may wait in memory while the service cannot be reached. Beyond it, the runs that ended first are
	 * dropped. Default: 32,000,000.
	 */
	maxWaitingBytes?: number | undefined;
	/** How long a process that has nothing left to do lives on to send what waits. The default is 5. */
	flushAtExitSeconds?: number | undefined;
}

/** A state of one run, as an adapter reports it. */
export interface RunReport {
	/** Any engine's chat id. A UUID stays as it is; another id becomes `uuidFor("chat", id)`. */
	chatId: string;
	/** The chat's owner. If it is given, the chat is registered first. */
	userId?: string | undefined;
	/** `id` and `workflowId` are UUIDs, which adapters make by `uuidFor`. Steps that are left out stay as they were. */
	run: WorkflowRunReport & { id: string };
}

export interface FlushOptions {
	/** Default: 5,000. */
	timeoutMilliseconds?: number | undefined;
}

/** Reports runs to an edge-runs service. No method throws or rejects, except with an error of the given function. */
export interface Recorder {
	/** Takes a state of one run. It is merged in memory with the waiting reports, and sent soon. Costs microseconds. */
	report(report: RunReport): void;
	/** Starts a run now. Report its steps and its end by the handle. */
	run(options: RunOptions): RunHandle;
	/** Runs `work` as a run. It completes with the returned value. If `work` throws, it fails, and the error is thrown on. */
	run<T>(options: RunOptions, work: (run: RunHandle) => T): Promise<Awaited<T>>;
	/** Resolves when all earlier reports are sent, or after the timeout. */
	flush(options?: FlushOptions): Promise<void>;
	/** Flushes, and stops the heartbeats. */
	close(options?: FlushOptions): Promise<void>;
	[Symbol.asyncDispose](): Promise<void>;
}
