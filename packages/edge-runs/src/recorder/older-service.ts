import type { IdentifiedReport } from "./waiting.ts";

/*
 * A service of version 0.1 refuses reports with fields that it does not know. What it lacks is left out then, and
 * remembered for all recorders of the process, so that it is asked once and not with each report.
 */

/** An operator may bring it up to date meanwhile. */
const REMEMBERED_MILLISECONDS = 3_600_000;

const byUrl = new Map<string, number>();
const byBinding = new WeakMap<object, number>();
const rememberedBy = (key: string | object) =>
	(typeof key === "string" ? byUrl : byBinding) as Pick<Map<string | object, number>, "get" | "set">;

export function isOlder(key: string | object, now: number): boolean {
	return now < (rememberedBy(key).get(key) ?? 0);
}

export function rememberOlder(key: string | object, now: number): void {
	rememberedBy(key).set(key, now + REMEMBERED_MILLISECONDS);
}

/** What the service of 0.1 says of them. */
export const NAMES_UNKNOWN_FIELDS = /unrecognized key/i;

/** A report with no fields but those of 0.1. */
export function toOlder(report: IdentifiedReport): IdentifiedReport {
	const { id, workflowId, status, startedAt, completedAt, error, steps = [] } = report;
	return {
		id,
		workflowId,
		status,
		...(startedAt !== undefined && { startedAt }),
		...(completedAt !== undefined && { completedAt }),
		...(error && { error }),
		steps: steps.map(({ id, status, startedAt, completedAt, error, name, position }) => ({
			id,
			status,
			...(startedAt !== undefined && { startedAt }),
			...(completedAt !== undefined && { completedAt }),
			...(error && { error }),
			...(name !== undefined && { name }),
			...(position !== undefined && { position }),
		})),
	};
}
