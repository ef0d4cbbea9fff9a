import { readConfig } from "../env.ts";
import { ServiceError } from "../errors.ts";
import type { Scope, Session } from "../scope.ts";
import { peekHistory } from "../workflow-runs/edge-cache.ts";
import { type History, readHistory } from "../workflow-runs/history.ts";

/** A watch ends after this, and its client comes back. */
const WATCH_SECONDS = 3600;

/** Workers allow 10,000 subrequests a request; a watch ends before it is cut off. */
const MAX_SUBREQUESTS = 9_500;
const PEEK_SUBREQUESTS = 1;
/** The cache read, D1, the cache written. */
const READ_SUBREQUESTS = 3;

/** What Workers say when there are no more, as D1's binding passes it on. */
const OUT_OF_SUBREQUESTS = /too many (subrequests|API requests)/i;

/** A session that was revoked or has expired ends its watches within this. */
const SESSION_SECONDS = 60;

/** Waited behind the end of the fresh window, so that watches do not all ask at once. */
const JITTER_MILLISECONDS = 200;
/** Where another watch asks D1, its answer is looked for in the cache after this. */
const MIN_PAUSE_MILLISECONDS = 200;

/** Why a watch ended before its time. */
export type EndReason = "session_ended" | "chat_deleted" | "chat_forbidden";

/** One look at a history: the history if it is another than before, else null; or the end. */
export type Look = { readonly history: History | null } | { readonly end: EndReason };

export interface Watch {
	readonly chatId: string;
	/** The history that the watcher has. */
	readonly seen: History;
	/** Asks KV for the session again. */
	readonly rereadSession: () => Promise<Session>;
	/** Whether there is nobody left to tell. */
	readonly isGone: () => boolean;
}

/**
 * Looks at a chat's history about once a second, until the session or the chat ends, nobody is left, or the time is up.
 * However many watch a chat, each isolate asks D1 once in a fresh window; the others find its answer in the data
 * centre's cache. While D1 or KV fails there is nothing new, and the watch goes on.
 */
export async function* watchHistory(scope: Scope, watch: Watch): AsyncGenerator<Look> {
	const { chatId, seen, rereadSession, isGone } = watch;
	const freshMilliseconds = readConfig(scope.env).freshSeconds * 1000;
	const start = Date.now();
	let { etag, checkedAt } = seen;
	let sessionReadAt = start;
	let subrequests = 0;
	while (subrequests < MAX_SUBREQUESTS && Date.now() - start < WATCH_SECONDS * 1000) {
		await pause(Math.max(checkedAt + freshMilliseconds - Date.now(), MIN_PAUSE_MILLISECONDS));
		if (isGone()) return;
		try {
			if (Date.now() - sessionReadAt >= SESSION_SECONDS * 1000) {
				await rereadSession();
				subrequests += 1;
				sessionReadAt = Date.now();
			}
			const known = await peekHistory(scope, chatId);
			subrequests += PEEK_SUBREQUESTS;
			const isFresh = known !== null && Date.now() - known.checkedAt < freshMilliseconds;
			if (isFresh) ({ checkedAt } = known);
			if (isFresh ? known.etag === etag : known !== null && !claim(chatId, freshMilliseconds)) {
				yield { history: null };
				continue;
			}
			const history = await readHistory(scope, Promise.resolve({ userId: seen.userId }), chatId);
			subrequests += READ_SUBREQUESTS;
			({ checkedAt } = history);
			yield { history: history.etag === etag ? null : history };
			({ etag } = history);
		} catch (error) {
			const code = error instanceof ServiceError ? error.code : null;
			if (code === "INVALID_SESSION") return yield { end: "session_ended" };
			if (code === "CHAT_NOT_FOUND") return yield { end: "chat_deleted" };
			if (code === "CHAT_FORBIDDEN") return yield { end: "chat_forbidden" };
			if (code !== "STORE_UNAVAILABLE") throw error;
			// With fewer subrequests than the paid plan's, the client comes back for more of them.
			if (OUT_OF_SUBREQUESTS.test(String((error as ServiceError).cause))) return;
			yield { history: null };
		}
	}
}

/** When this isolate last asked D1 for a watched chat, in milliseconds since the epoch. */
const asked = new Map<string, number>();
const MAX_ASKED = 10_000;

/** Whether it is this watch's turn to ask D1. */
function claim(chatId: string, freshMilliseconds: number): boolean {
	const now = Date.now();
	if (now - (asked.get(chatId) ?? 0) < freshMilliseconds) return false;
	if (asked.size >= MAX_ASKED) asked.clear();
	asked.set(chatId, now);
	return true;
}

function pause(milliseconds: number): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, milliseconds + Math.random() * JITTER_MILLISECONDS));
}
