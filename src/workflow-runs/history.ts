import { readConfig } from "../env.ts";
import type { Scope, Session } from "../scope.ts";
import { keepSeconds, type Wanted } from "./decide.ts";
import { confirmHistory, dropBody, type HistoryMeta, passBody, readBody, storeHistory } from "./edge-cache.ts";
import { listBody } from "./json.ts";
import { type Asked, type FromCopy, lookUp } from "./look-up.ts";

/**
 * How the edge cache took part.
 * hit: a copy inside the fresh window, D1 not asked. revalidated: D1 said that the copy is the chat's
 * revision. miss: read from D1. stale: a copy, since D1 failed.
 */
export type CacheUse = "hit" | "revalidated" | "miss" | "stale";

/** A chat's runs, its owner and its revision, and where they were read. */
export interface History<Body = ArrayBuffer> extends HistoryMeta {
	/** The served JSON, in UTF-8. */
	readonly body: Body;
	readonly cacheUse: CacheUse;
	/** Seconds since D1 last confirmed the copy (RFC 9111, 5.1); undefined if it is not a copy. */
	readonly age?: number;
}

/** `Cache-Status` parameters (RFC 9211, 2) for each use. */
export const CACHE_STATUS: Readonly<Record<CacheUse, string>> = {
	hit: "hit",
	revalidated: "fwd=stale; fwd-status=304",
	miss: "fwd=miss; stored",
	stale: "fwd=stale; fwd-status=503; detail=stale-if-error",
};

/**
 * A chat's history for its owner, through this data centre's cache. Session and history are read at the same time.
 *
 * @param chatId lower-case UUID
 * @param wanted what the history is to be at least
 * @throws {ServiceError} CHAT_NOT_FOUND, CHAT_FORBIDDEN, the error that `session` rejects with,
 *   or STORE_UNAVAILABLE if D1 fails and no copy is young enough
 */
export function readHistory(
	scope: Scope,
	session: Promise<Session>,
	chatId: string,
	wanted: Wanted = {},
): Promise<History> {
	return historyOf(scope, session, chatId, wanted, ({ copy }) => readBody(scope, chatId, copy));
}

/**
 * As `readHistory`, for somebody who only sends the body on: a cached one need not be read.
 * @param isKnown whether the client has the body of this entity tag. Its body is then undefined
 */
export function openHistory(
	scope: Scope,
	session: Promise<Session>,
	chatId: string,
	wanted: Wanted & { readonly isKnown: (etag: string) => boolean },
): Promise<History<ArrayBuffer | ReadableStream<Uint8Array> | undefined>> {
	return historyOf(scope, session, chatId, wanted, async ({ copy }) => {
		if (!wanted.isKnown(copy.etag)) return passBody(scope, chatId, copy);
		dropBody(copy);
		return undefined;
	});
}

/** @param open gives the body of a copy, or null if it turns out not to be whole */
async function historyOf<Body>(
	scope: Scope,
	session: Promise<Session>,
	chatId: string,
	asked: Asked,
	open: (from: FromCopy) => Promise<Body | null>,
): Promise<History<Body | ArrayBuffer>> {
	const found = await lookUp(scope, session, chatId, asked);
	if (found.cacheUse === "miss") {
		const { userId, revision, change, bookmark, readAt } = found;
		const { body, etag } = await listBody(found.runs);
		const { byteLength } = body;
		const meta = { userId, revision, change, etag, byteLength, bookmark, readAt, checkedAt: readAt };
		// Kept only now that the chat's owner has asked.
		scope.waitUntil(storeHistory(scope, chatId, { ...meta, body }, keepSeconds(readConfig(scope.env))));
		return { ...meta, body, cacheUse: "miss" };
	}
	const body = await open(found);
	if (body === null) return historyOf(scope, session, chatId, { ...asked, isUsable: () => false }, open);
	const { cacheUse, age } = found;
	const { entry: _, ...meta } = found.copy;
	if (cacheUse === "revalidated") confirmHistory(scope, chatId, meta);
	return { ...meta, body, cacheUse, age };
}
