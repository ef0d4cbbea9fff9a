/*
 * The order of a chat's runs, said once for the list's SQL, its cursor, the page and the clients: not yet started first,
 * then newest start first, ties by id, descending.
 */

/** Stands for the start of a run that has not started: it sorts behind every timestamp as text. */
export const NOT_STARTED = "~";

/** What the order depends on. */
export interface Ordered {
	readonly id: string;
	/** ISO 8601, UTC, milliseconds; null until then. */
	readonly startedAt: string | null;
}

/** What runs are sorted by, descending, before their id. */
export const startOrderOf = ({ startedAt }: Pick<Ordered, "startedAt">): string => startedAt ?? NOT_STARTED;

/** Compares two runs for `sort`. */
export function compareRuns(a: Ordered, b: Ordered): number {
	return compareText(startOrderOf(b), startOrderOf(a)) || compareText(b.id, a.id);
}

/** By UTF-16 code units: the same everywhere. Timestamps sort by time. */
export function compareText(a: string, b: string): number {
	return a < b ? -1 : a > b ? 1 : 0;
}
