/*
 * The order of a chat's runs: not yet started first, then newest start first, ties by id, descending. The list's SQL, its
 * cursor, the page and the clients all use it. And the order of a run's steps.
 */

/** Stands for the start of a run that has not started: it sorts behind every timestamp as text. */
export const NOT_STARTED = "~";

/** The fields that the order depends on. */
export interface Ordered {
	readonly id: string;
	/** ISO 8601, UTC, milliseconds; null until then. */
	readonly startedAt: string | null;
}

/** The key by which runs are sorted, descending, before their id. */
export const startOrderOf = ({ startedAt }: Pick<Ordered, "startedAt">): string => startedAt ?? NOT_STARTED;

/** Compares two runs for `sort`. */
export function compareRuns(a: Ordered, b: Ordered): number {
	return compareText(startOrderOf(b), startOrderOf(a)) || compareText(b.id, a.id);
}

/** By UTF-16 code units: the same everywhere. Timestamps sort by time. */
export function compareText(a: string, b: string): number {
	return a < b ? -1 : a > b ? 1 : 0;
}

/** The fields that the order of steps depends on. */
export interface OrderedStep extends Ordered {
	readonly position?: number | undefined;
}

/** Compares two steps for `sort`: by position (none last), then start (none last), then id. */
export function compareSteps(a: OrderedStep, b: OrderedStep): number {
	return (
		(a.position ?? Number.MAX_VALUE) - (b.position ?? Number.MAX_VALUE) ||
		compareText(startOrderOf(a), startOrderOf(b)) ||
		compareStepIds(a.id, b.id)
	);
}

/** As people count: step-2 before step-10. Ids that count the same, such as step-1 and step-01, by code units. */
export function compareStepIds(a: string, b: string): number {
	return asPeopleCount.compare(a, b) || compareText(a, b);
}

const asPeopleCount = /* @__PURE__ */ new Intl.Collator("en", { numeric: true });
