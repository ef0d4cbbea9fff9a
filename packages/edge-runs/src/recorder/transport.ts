import type { WorkflowRun } from "../protocol/types.ts";
import type { Part } from "./pack.ts";

/** What the service answers to reports. */
export interface Recorded {
	/** The runs as they are stored now; empty where the answer is too large to be worth reading. */
	readonly workflowRuns: readonly WorkflowRun[];
	/** What it left out of the reports. */
	readonly warnings: readonly string[];
}

/** The way to a service. Throws a `Refusal` where it answers so, or whatever goes wrong on the way. */
export interface Transport {
	/** Names the service, for what is learned of it. */
	readonly key: string | object;
	registerChat(chatId: string, userId: string): Promise<void>;
	/** @param parts 1 to 100, together under 1,000,000 bytes */
	record(chatId: string, parts: readonly Part[]): Promise<Recorded>;
}

/** Reads an answer's `data`, whatever it is: what it does not hold is empty. */
export function toRecorded(data: unknown): Recorded {
	const { workflowRuns, warnings } = (data ?? {}) as Partial<Record<keyof Recorded, unknown>>;
	return {
		workflowRuns: Array.isArray(workflowRuns) ? workflowRuns.filter(isRun) : [],
		warnings: Array.isArray(warnings) ? warnings.map(String) : [],
	};
}

const isRun = (given: unknown): given is WorkflowRun =>
	typeof given === "object" && given !== null && "id" in given && "status" in given;
