import { forOwner } from "../access/owner.ts";
import { readRevokedBefore } from "../access/revocations.ts";
import { newer } from "../db/bookmark.ts";
import { askD1, type ReadResult } from "../db/read.ts";
import { type Config, readConfig } from "../env.ts";
import { logError } from "../log.ts";
import type { Scope, Session } from "../scope.ts";
import { forgetHistory, type HistoryEntry, loadHistory, storeHistory } from "./edge-cache.ts";
import { listBody } from "./json.ts";
import { type ChatRuns, readChatRuns } from "./read.ts";

/**
 * How the edge cache took part.
 * hit: a copy inside the fresh window, D1 not asked. revalidated: D1 said that the copy is the chat's
 * revision. miss: read from D1. stale: a copy, since D1 failed.
 */
export type CacheUse = "hit" | "revalidated" | "miss" | "stale";

/** A chat's runs, its owner and its revision, and where they were read. */
export interface History extends HistoryEntry {
	readonly cacheUse: CacheUse;
	/** Seconds since D1 last confirmed the copy (RFC 9111, 5.1); undefined if it is not a copy. */
	readonly age?: number;
	/** Whether the cache already holds it, so that it need not be stored again. */
	readonly isKept: boolean;
}

/** `Cache-Status` parameters (RFC 9211, 2) for each use. */
export const CACHE_STATUS: Readonly<Record<CacheUse, string>> = {
	hit: "hit",
	revalidated: "fwd=stale; fwd-status=304",
	miss: "fwd=miss; stored",
	stale: "fwd=stale; fwd-status=503; detail=stale-if-error",
};

/** A copy older than this is read again in full, whatever its revision, so that a write past the service shows, too. */
const REREAD_SECONDS = 60;

/**
 * A chat's history for its owner, through this data centre's cache. Session and history are read at the same time.
 *
 * @param chatId lower-case UUID
 * @param bookmark D1 bookmark. The history is at least as new: it skips the fresh window (read your writes)
 * @throws {ServiceError} CHAT_NOT_FOUND, CHAT_FORBIDDEN, the error that `session` rejects with,
 *   or STORE_UNAVAILABLE if D1 fails and no copy is young enough
 */
export async function readHistory(
	scope: Scope,
	session: Promise<Session>,
	chatId: string,
	bookmark?: string,
): Promise<History> {
	const config = readConfig(scope.env);
	const history = await forOwner(scope, session, lookUp(scope, config, chatId, bookmark));
	scope.facts.cache = history.cacheUse;
	// Stored only after the owner was checked: a stranger's bookmark must not get into the entry.
	const { cacheUse, age: _, isKept, ...entry } = history;
	if (!isKept) scope.waitUntil(storeHistory(scope, chatId, entry, config.staleIfErrorSeconds));
	return history;
}

async function lookUp(scope: Scope, config: Config, chatId: string, bookmark?: string): Promise<History | null> {
	const entry = await loadHistory(scope, chatId);
	if (entry) void readRevokedBefore(scope, entry.userId);
	const start = Date.now();
	const isFresh = entry !== null && isWithin(config.freshSeconds, entry.checkedAt, start);
	if (isFresh && bookmark === undefined) return fromCache("hit", entry, start);

	const known = entry && isWithin(REREAD_SECONDS, entry.readAt, start) ? entry : null;
	let answer: ReadResult<ChatRuns | null>;
	try {
		const slice = { unlessRevision: known?.revision };
		answer = await askD1(scope, newer(bookmark, entry?.bookmark), (d1) => readChatRuns(d1, chatId, slice));
	} catch (error) {
		if (!entry || !isWithin(config.staleIfErrorSeconds, entry.checkedAt, start)) throw error;
		logError({ requestId: scope.requestId, event: "stale" }, error);
		return fromCache("stale", entry, start);
	}
	const { found } = answer;
	if (found) {
		const said = { userId: found.userId, revision: found.revision, bookmark: answer.bookmark, checkedAt: start };
		if (known?.revision !== found.revision) {
			return { ...said, ...(await listBody(found.runs)), readAt: start, cacheUse: "miss", isKept: false };
		}
		// The entry is stored again only to note when it was checked. A copy that is still fresh, or never is, needs no note.
		const isKept = isFresh || config.freshSeconds === 0;
		return { ...known, ...said, cacheUse: "revalidated", age: 0, isKept };
	}
	if (entry) scope.waitUntil(forgetHistory(scope, chatId));
	return null;
}

function fromCache(cacheUse: CacheUse, entry: HistoryEntry, now: number): History {
	return { ...entry, cacheUse, age: Math.max(0, Math.floor((now - entry.checkedAt) / 1000)), isKept: true };
}

const isWithin = (seconds: number, since: number, now: number) => now - since < seconds * 1000;
