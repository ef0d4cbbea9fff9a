import { RunState } from "../protocol/run-state.ts";
import { uuidFor } from "../protocol/uuid.ts";
import { quietly, toError } from "./adapter.ts";

/* What is the same from inside and from outside, so that both record one run. */

/** The run of an instance. @param id the instance's */
export const instanceState = (id: string, workflow: string, messageId?: string) =>
	new RunState({
		id: uuidFor("cloudflare-workflows", id),
		workflowId: uuidFor("workflow", workflow),
		workflowName: workflow,
		externalId: id,
		...(messageId !== undefined && { messageId }),
	});

/** A step as Workflows calls it: its name with which of that name it is. Sleeps and waits are counted apart. */
export const doId = (name: string) => name;
export const sleepId = (name: string) => `sleep:${name}`;
export const waitId = (name: string) => `wait:${name}`;

/** What a step says between two attempts. */
export const retrying = (attempt: number, error: unknown, at: number) => ({
	attempt,
	activity: { at: iso(at), message: `Tries again after: ${toError(error).error.message}` },
});

export function iso(moment: unknown): string {
	return quietly(() => new Date(moment as number).toISOString()) ?? String(moment);
}
