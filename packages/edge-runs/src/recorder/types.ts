/// <reference lib="esnext.disposable" preserve="true" />
import type { WorkflowRunReport } from "../protocol/types.ts";
import type { RecorderError } from "./errors.ts";
import type { RunHandle, RunOptions } from "./run-types.ts";

/** What the recorder calls of a service binding to the entrypoint `WorkflowRunRecorder`. */
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
	/** Instead of the global one. */
	fetch?: typeof fetch | undefined;
	/** Told of all that goes wrong, which never reaches the workflow. Left out: one `console.warn` a kind. */
	onError?: ((error: RecorderError) => void) | undefined;
	/** In a Worker: `ctx.waitUntil.bind(ctx)`, so that what was reported is sent after the response. */
	waitUntil?: ((promise: Promise<unknown>) => void) | undefined;
	/**
	 * An active run that says nothing for so long says that it is alive. 0: never. 60 unless it says otherwise; 0 on
	 * Workers, where no timer outlives its request.
	 */
	heartbeatSeconds?: number | undefined;
	/** How long a report may wait for others to be sent with: 20 unless it says otherwise. */
	delayMilliseconds?: number | undefined;
	/** How long a request may take: 15 unless it says otherwise. */
	timeoutSeconds?: number | undefined;
	/** The first pause after a failure, doubled with each up to 30 s: 500 unless it says otherwise. */
	retryMilliseconds?: number | undefined;
	/**
	 * How much may wait in memory while the service cannot be reached, about: 32,000,000 unless it says otherwise. Beyond
	 * it the runs that ended first are dropped.
	 */
	maxWaitingBytes?: number | undefined;
}

/** A state of one run, as an adapter tells it. */
export interface RunReport {
	/** Any engine's chat id: a UUID as it is, another becomes `uuidFor("chat", id)`. */
	chatId: string;
	/** Where it is told, the chat is registered first. */
	userId?: string | undefined;
	/** `id` and `workflowId` are UUIDs, which adapters make by `uuidFor`. Steps that are left out stay as they were. */
	run: WorkflowRunReport & { id: string };
}

export interface FlushOptions {
	/** 5,000 unless it says otherwise. */
	timeoutMilliseconds?: number | undefined;
}

/** Reports runs to an edge-runs service. No method throws or rejects, except by what the given function throws. */
export interface Recorder {
	/** Takes a state of one run: merged in memory with what waits, and sent soon. Costs microseconds. */
	report(report: RunReport): void;
	/** A run that starts now. The handle tells its steps and its end. */
	run(options: RunOptions): RunHandle;
	/** Runs `work` as a run: ended with what it returns, or failed with what it throws, which is thrown on. */
	run<T>(options: RunOptions, work: (run: RunHandle) => T): Promise<Awaited<T>>;
	/** Resolves when all that was reported before is sent, or after the timeout. */
	flush(options?: FlushOptions): Promise<void>;
	/** Flushes, and stops the heartbeats. */
	close(options?: FlushOptions): Promise<void>;
	[Symbol.asyncDispose](): Promise<void>;
}
