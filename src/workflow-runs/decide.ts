import { isIncluded, PRIMARY } from "../db/bookmark.ts";
import type { HistoryMeta } from "./edge-cache.ts";

/*
 * What to do about a cached copy of a chat's history. Pure: no I/O, no clock.
 *
 * | The copy                                                    | Step | If D1 fails |
 * | ----------------------------------------------------------- | ---- | ----------- |
 * | there is none                                               | read | fail        |
 * | D1 confirmed it less than FRESH_SECONDS ago, it includes    |      |             |
 * |   the caller's bookmark, and nobody must be certain         | hit  |             |
 * | else, it was read from D1 less than REREAD_SECONDS ago      | ask  | see below   |
 * | else                                                        | read | see below   |
 *
 * If D1 fails: a copy that D1 confirmed less than STALE_IF_ERROR_SECONDS ago is served as stale; else the read fails.
 */

/** A copy older than this is read again in full, so that a write that did not change the chat's revision shows. */
export const REREAD_SECONDS = 60;

/** What a read is to be at least. */
export interface Wanted {
	/** A caller's D1 bookmark: the answer includes what it saw. */
	readonly bookmark?: string | undefined;
	/** D1 is asked in any case. */
	readonly certain?: boolean | undefined;
}

export interface Decision {
	/** hit: serve the copy. ask: ask D1 whether the copy still is what the chat has. read: read all of it from D1. */
	readonly step: "hit" | "ask" | "read";
	readonly ifD1Fails: "stale" | "fail";
}

interface Settings {
	readonly freshSeconds: number;
	readonly staleIfErrorSeconds: number;
}

/** @param now milliseconds since the epoch */
export function decide(
	copy: Pick<HistoryMeta, "checkedAt" | "readAt" | "bookmark"> | null,
	now: number,
	{ freshSeconds, staleIfErrorSeconds }: Settings,
	{ bookmark, certain = false }: Wanted = {},
): Decision {
	if (!copy) return { step: "read", ifD1Fails: "fail" };
	const isYounger = (since: number, seconds: number) => now - since < seconds * 1000;
	const ifD1Fails = isYounger(copy.checkedAt, staleIfErrorSeconds) ? "stale" : "fail";
	const isNewEnough = bookmark === undefined || isIncluded(bookmark, copy.bookmark);
	if (isYounger(copy.checkedAt, freshSeconds) && isNewEnough && !certain) return { step: "hit", ifD1Fails };
	return { step: isYounger(copy.readAt, REREAD_SECONDS) ? "ask" : "read", ifD1Fails };
}

/**
 * Where D1 is read from, for `askD1`. A caller's bookmark may be invented, and D1 would wait for it: it is compared
 * with what is known here, and never passed on. The primary includes whatever was written.
 * @param bookmark a caller's
 * @param known D1's own, of the copy: nobody is to see less than that
 */
export function readFrom(bookmark: string | undefined, known: string | null | undefined): string | null {
	return bookmark === undefined || isIncluded(bookmark, known) ? (known ?? null) : PRIMARY;
}

/** How long a copy is kept, in seconds: while it can be of use, whatever the settings. */
export function keepSeconds({ freshSeconds, staleIfErrorSeconds }: Settings): number {
	return Math.max(staleIfErrorSeconds, freshSeconds + REREAD_SECONDS);
}

/**
 * Whether a copy may take another's place. A slow read must not put an older state over a newer one.
 * @param now milliseconds since the epoch
 */
export function mayReplace(
	kept: Pick<HistoryMeta, "checkedAt" | "bookmark">,
	by: Pick<HistoryMeta, "checkedAt" | "bookmark">,
	now: number,
): boolean {
	// No read takes that long: an older copy whose bookmark is newer is of a database that was replaced.
	if (now - kept.checkedAt >= REREAD_SECONDS * 1000) return true;
	return kept.bookmark && by.bookmark ? by.bookmark >= kept.bookmark : by.checkedAt >= kept.checkedAt;
}
