import type { HistoryMeta } from "./edge-cache.ts";

/*
 * What this isolate knows of kept histories, in its memory: nothing depends on it. That D1 has confirmed an entry would
 * else be told by writing the whole entry again; another isolate asks D1 by itself once its fresh window is over. That
 * an entry was whole when it was read saves reading it all again before it is passed on. And a client that has its body
 * is answered without looking for the entry.
 */

interface Note {
	readonly meta: HistoryMeta;
	readonly isWhole: boolean;
}

/** By the entry's key. Some 500 bytes each. */
const notes = new Map<string, Note>();
const MAX_NOTES = 2_000;

function note(key: string, meta: HistoryMeta, isWhole: boolean): void {
	if (notes.size >= MAX_NOTES) notes.clear();
	const { userId, revision, change, etag, byteLength, bookmark, readAt, checkedAt } = meta;
	notes.set(key, { meta: { userId, revision, change, etag, byteLength, bookmark, readAt, checkedAt }, isWhole });
}

/**
 * Notes an entry that was found.
 * @returns its meta, with what D1 has said of the very same body since
 */
export function noteFound(key: string, meta: HistoryMeta): HistoryMeta {
	const noted = recall(key);
	const isSame = noted?.etag === meta.etag && noted.revision === meta.revision;
	const { userId, bookmark, checkedAt } = isSame && noted.checkedAt > meta.checkedAt ? noted : meta;
	const found = { ...meta, userId, bookmark, checkedAt };
	noteConfirmed(key, found);
	return found;
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
	return noted?.meta.etag === etag && noted.isWhole;
}

/** An entry's meta as it was last noted. */
export function recall(key: string): HistoryMeta | undefined {
	return notes.get(key)?.meta;
}

export function dropNotes(key: string): void {
	notes.delete(key);
}
