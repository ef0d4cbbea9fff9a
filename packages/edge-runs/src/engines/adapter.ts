import type { RunState } from "../protocol/run-state.ts";
import type { JsonValue } from "../protocol/types.ts";
import type { RunReport } from "../recorder/types.ts";

/** What an adapter needs of a recorder; `edge-runs/recorder` makes one. */
export interface Reporter {
	report(report: RunReport): void;
	flush?(options?: { timeoutMilliseconds?: number }): Promise<void>;
}

/** What every adapter is told. */
export interface AdapterOptions {
	readonly recorder: Reporter;
	/** The workflow's name; each adapter's page says what it is without. */
	readonly workflow?: string | undefined;
	/** Whether what runs and steps give back is recorded too. The chat's owner can read what is. Default: no. */
	readonly outputs?: boolean | undefined;
}

/** Where a run belongs. */
export interface ChatOptions {
	/** Any string. */
	readonly chatId: string;
	/** The chat's owner, for a chat that may be new to the service. */
	readonly userId?: string | undefined;
	/** The chat message that set the run off. */
	readonly messageId?: string | undefined;
}

/** Reports what changed. Never throws: what watches a workflow must not break it. */
export function send(recorder: Reporter, { chatId, userId }: ChatOptions, state: Pick<RunState, "take">): void {
	quietly(() => {
		const run = state.take();
		if (run) recorder.report({ chatId, ...(userId !== undefined && { userId }), run });
	});
}

/** Runs what must not disturb the workflow. */
export function quietly<T>(act: () => T): T | undefined {
	try {
		return act();
	} catch {
		return undefined;
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

/** Whether an engine was stopped by its caller, which is no failure. */
export function isAbort(thrown: unknown): boolean {
	const { name, message } = (thrown ?? {}) as { name?: unknown; message?: unknown };
	return name === "AbortError" || message === "Abort" || message === "Aborted";
}

/** The most that the service keeps, in bytes of JSON; a larger one needs no way there. */
const MAX_OUTPUT = 16_000;

/** An output as it is recorded: as JSON has it, if it is asked for and not too large. */
export function toOutput(value: unknown, wanted: boolean | undefined): { output?: JsonValue } {
	if (!wanted || value === undefined) return {};
	const json = quietly(() => JSON.stringify(value));
	return json === undefined || json.length > MAX_OUTPUT ? {} : { output: JSON.parse(json) };
}
