import type { RunState } from "../protocol/run-state.ts";
import type { JsonValue } from "../protocol/types.ts";
import type { RunReport } from "../recorder/types.ts";

/** The part of a recorder that an adapter uses. `edge-runs/recorder` makes recorders. */
export interface Reporter {
	report(report: RunReport): void;
	flush?(options?: { timeoutMilliseconds?: number }): Promise<void>;
}

/** Options of every adapter. */
export interface AdapterOptions {
	readonly recorder: Reporter;
	/** The workflow's name. Each adapter's page says its default. */
	readonly workflow?: string | undefined;
	/** Whether the results of runs and steps are recorded, too. The chat's owner can read them. Default: no. */
	readonly outputs?: boolean | undefined;
}

/** The chat that a run belongs to. */
export interface ChatOptions {
	/** Any string. */
	readonly chatId: string;
	/** The chat's owner. Needed if the chat may be new to the service. */
	readonly userId?: string | undefined;
	/** The chat message that started the run. */
	readonly messageId?: string | undefined;
}

/** Reports a change. Never throws: an adapter must not break the workflow that it watches. */
export function send(recorder: Reporter, { chatId, userId }: ChatOptions, state: Pick<RunState, "take">): void {
	quietly(() => {
		const run = state.take();
		if (run) recorder.report({ chatId, ...(userId !== undefined && { userId }), run });
	});
}

/** Runs a function whose errors must not reach the workflow. */
export function quietly<T>(act: () => T): T | undefined {
	try {
		return act();
	} catch {
		return undefined;
	}
}

/** Waits until all is sent, but no longer than the timeout. Never rejects. */
export async function flushQuietly(recorder: Reporter, timeoutMilliseconds: number): Promise<void> {
	try {
		await recorder.flush?.({ timeoutMilliseconds });
	} catch {
		// The recorder tells its own errors, and none of them are the workflow's.
	}
}

/** An error as it is recorded. */
export function toError(thrown: unknown): { error: { message: string } } {
	return { error: { message: quietly(() => messageOf(thrown)) || "Unknown error" } };
}

function messageOf(thrown: unknown): string {
	if (typeof thrown === "string") return thrown;
	if (typeof thrown !== "object" || thrown === null) return String(thrown);
	const { message, error } = thrown as { message?: unknown; error?: unknown };
	if (typeof message === "string") return message;
	return error === undefined ? JSON.stringify(thrown) : messageOf(error);
}

/** Whether an engine was stopped by its caller. This is not a failure. */
export function isAbort(thrown: unknown): boolean {
	const { name, message } = (thrown ?? {}) as { name?: unknown; message?: unknown };
	return name === "AbortError" || message === "Abort" || message === "Aborted";
}

/** An output, if it is wanted. The recorder copies it, and leaves out one that is too large or no JSON. */
export function toOutput(value: unknown, wanted: boolean | undefined): { output?: JsonValue } {
	return wanted && value !== undefined ? { output: value as JsonValue } : {};
}

/** What an engine waits for, in words: a text, or the text in an object that is there for people, or else its JSON. */
export function toMessage(value: unknown, otherwise: string): string {
	return quietly(() => textOf(value)) || otherwise;
}

function textOf(value: unknown): string | undefined {
	if (typeof value !== "object" || value === null) return value === undefined ? undefined : String(value);
	const { message, question, reason, prompt } = value as Record<string, unknown>;
	return [message, question, reason, prompt].find((text) => typeof text === "string") ?? JSON.stringify(value);
}
