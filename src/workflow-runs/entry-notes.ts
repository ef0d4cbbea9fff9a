import type { HistoryMeta } from "./edge-cache.ts";

/*
 * What this isolate knows of kept histories, in its memory: nothing depends on it. That D1 has confirmed an entry would
 * else be told by writing the whole entry again; another isolate asks D1 by itself once its fresh window is over. That
 * an entry was whole when it was read saves reading it all again before it is passed on.
 */

interface Notes extends Pick<HistoryMeta, "etag" | "userId" | "revision" | "bookmark" | "checkedAt"> {
	readonly isWhole: boolean;
}

/** By the entry's key. Some 500 bytes each. */
const notes = new Map<string, Notes>();
const MAX_NOTES = 2_000;

function note(key: string, { etag, userId, revision, bookmark, checkedAt }: HistoryMeta, isWhole: boolean): void {
	if (notes.size >= MAX_NOTES) notes.clear();
	notes.set(key, { etag, userId, revision, bookmark, checkedAt, isWhole });
}

/** Notes that D1 has confirmed an entry, as its meta now says. */
export function noteConfirmed(key: string, meta: HistoryMeta): void {
	note(key, meta, isNotedWhole(key, meta));
}

/** Notes that an entry was read, and was whole. */
export function noteWhole(key: string, meta: HistoryMeta): void {
	note(key, meta, true);
}

export function isNotedWhole(key: string, { etag }: HistoryMeta): boolean {
	const noted = notes.get(key);
	return noted?.etag === etag && noted.isWhole;
}

/** An entry's meta, with what D1 has said of the very same body since. */
export function withNotes<M extends HistoryMeta>(key: string, meta: M): M {
	const noted = notes.get(key);
	if (noted?.etag !== meta.etag || noted.revision !== meta.revision || noted.checkedAt <= meta.checkedAt) return meta;
	const { userId, bookmark, checkedAt } = noted;
	return { ...meta, userId, bookmark, checkedAt };
}

export function dropNotes(key: string): void {
	notes.delete(key);
}
