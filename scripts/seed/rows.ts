import { randomUUID } from "node:crypto";
import type { WorkflowRun } from "#protocol/types.ts";
import type { chats, workflowRuns } from "../../src/db/schema.ts";

/*
 * How seeded rows are made.
 */

export type Chat = typeof chats.$inferInsert;
export type Run = typeof workflowRuns.$inferInsert;

export const USER = "demo-user";

const CREATED_AT = "2024-02-04T11:59:00.000Z";

export const chat = (id: string, more: Partial<Chat> = {}): Chat => ({
	id,
	userId: USER,
	revision: randomUUID(),
	createdAt: CREATED_AT,
	...more,
});

/** What a run says beside its state, in the served order. */
type Details = Partial<Omit<WorkflowRun, "steps" | "error">>;

export const run = (
	id: string,
	chatId: string,
	more: Pick<Run, "status"> & Partial<Run>,
	steps: object[],
	details: Details = {},
): Run => ({
	id,
	chatId,
	workflowId: "c2d29867-3d0b-4497-9191-18a9d8ee7830",
	revision: randomUUID(),
	createdAt: CREATED_AT,
	details: JSON.stringify(details),
	steps: JSON.stringify(steps),
	...more,
});

/** A time relative to now, as if it were 09:30:30 now: the seeded runs happened a moment ago. */
export const at = (time: string) => new Date(midnight + Date.parse(`1970-01-01T${time}Z`)).toISOString();
const midnight = Date.now() - Date.parse("1970-01-01T09:30:30Z");
export const step = (position: number, name: string, status: string, start?: string, end?: string, error?: string) => ({
	id: `step-${position}`,
	status,
	startedAt: start ? at(start) : null,
	completedAt: end ? at(end) : null,
	...(error ? { error: { message: error } } : {}),
	name,
	position,
});
