import { forOwner } from "../access/owner.ts";
import { readRevokedBefore } from "../access/revocations.ts";
import { askD1, type ReadResult } from "../db/read.ts";
import { readConfig } from "../env.ts";
import { logError } from "../log.ts";
import type { Scope, Session } from "../scope.ts";
import { decide, readFrom, type Wanted } from "./decide.ts";
import { dropBody, findHistory, forgetHistory, type HistoryCopy, recallHistory } from "./edge-cache.ts";
import { mayBeErased } from "./erased.ts";
import { type ChatRuns, readChatRuns } from "./read.ts";
import type { Slice } from "./read-query.ts";

/** Runs from this data centre's copy of the chat's history. */
export interface FromCopy {
	/** hit: D1 was not asked. revalidated: D1 said that the chat's revision is the copy's. stale: D1 failed. */
	readonly cacheUse: "hit" | "revalidated" | "stale";
	readonly userId: string;
	readonly copy: HistoryCopy;
	/** Seconds since D1 last confirmed the copy (RFC 9111, 5.1). */
	readonly age: number;
}

/** Runs from D1. */
export interface FromD1 extends ChatRuns {
	readonly cacheUse: "miss";
	readonly bookmark: string | null;
	/** Milliseconds since the epoch. */
	readonly readAt: number;
}

export interface Asked extends Wanted {
	/** Which runs to read from D1; left out: all. */
	readonly slice?: Slice;
	/** Whether a copy may answer; left out: any. */
	readonly isUsable?: (copy: HistoryCopy) => boolean;
	/** Whether the caller has the body of this entity tag, and so needs no copy of it. */
	readonly isKnown?: (etag: string) => boolean;
}

/**
 * Finds a chat's runs for its owner, in this data centre's copy or in D1, while the session is read.
 * @param chatId lower-case UUID
 * @throws {ServiceError} CHAT_NOT_FOUND, CHAT_FORBIDDEN, the error that `session` rejects with,
 *   or STORE_UNAVAILABLE if D1 fails and no copy is young enough
 */
export async function lookUp(
	scope: Scope,
	session: Promise<Session>,
	chatId: string,
	asked: Asked,
): Promise<FromCopy | FromD1> {
	const find = async () => {
		const found = await lookInto(scope, chatId, asked);
		// The owner may have changed since: nobody is refused on a copy's word alone.
		if (found?.cacheUse !== "hit" || (await session).userId === found.userId) return found;
		dropBody(found.copy);
		return lookInto(scope, chatId, { ...asked, certain: true });
	};
	const found = await forOwner(scope, session, find());
	scope.facts.cache = found.cacheUse;
	return found;
}

async function lookInto(scope: Scope, chatId: string, asked: Asked): Promise<FromCopy | FromD1 | null> {
	const { slice, isUsable = () => true, isKnown: _, ...wanted } = asked;
	const kept = recallKnown(scope, chatId, asked) ?? (await findHistory(scope, chatId));
	if (kept) void readRevokedBefore(scope, kept.userId);
	const copy = kept && isUsable(kept) ? kept : null;
	if (kept && !copy) dropBody(kept);
	const now = Date.now();
	const { step, ifD1Fails } = decide(copy, now, readConfig(scope.env), wanted);
	if (copy && step === "hit") return fromCopy("hit", copy, now);

	const unlessRevision = step === "ask" ? copy?.revision : undefined;
	let answer: ReadResult<ChatRuns | null>;
	try {
		const from = readFrom(wanted.bookmark, kept?.bookmark);
		answer = await askD1(scope, from, (d1) => readChatRuns(d1, chatId, { ...slice, unlessRevision }));
	} catch (error) {
		if (!copy || ifD1Fails === "fail") throw error;
		if (await mayBeErased(scope, copy.userId, chatId)) {
			dropBody(copy);
			throw error;
		}
		logError(scope, { event: "stale" }, error);
		return fromCopy("stale", copy, now);
	}
	const { found, bookmark } = answer;
	if (copy && found && found.revision === unlessRevision) {
		return fromCopy("revalidated", { ...copy, userId: found.userId, bookmark, checkedAt: now }, now);
	}
	if (copy) dropBody(copy);
	if (found) return { ...found, bookmark, readAt: now, cacheUse: "miss" };
	if (kept) scope.waitUntil(forgetHistory(scope, chatId));
	return null;
}

/** A copy inside the fresh window whose body the caller has. */
function recallKnown(scope: Scope, chatId: string, { isKnown, ...wanted }: Asked): HistoryCopy | null {
	const copy = isKnown ? recallHistory(scope, chatId) : null;
	if (!copy || !isKnown?.(copy.etag)) return null;
	return decide(copy, Date.now(), readConfig(scope.env), wanted).step === "hit" ? copy : null;
}

function fromCopy(cacheUse: FromCopy["cacheUse"], copy: HistoryCopy, now: number): FromCopy {
	const age = Math.max(0, Math.floor((now - copy.checkedAt) / 1000));
	return { cacheUse, userId: copy.userId, copy, age };
}
