import type { Context } from "hono";
import { type SSEStreamingApi, streamSSE } from "hono/streaming";
import type { AppEnv } from "../http/app-env.ts";
import { type EndReason as WatchEndReason, watchHistory } from "../live/watch.ts";
import { logError, logInfo } from "../log.ts";
import type { History } from "../workflow-runs/history.ts";

/** Why a stream says `end`: there is no use in coming back. */
export type EndReason = WatchEndReason | "run_ended";

/** How long a client waits before it comes back, in milliseconds. */
const RETRY_MILLISECONDS = 2_000;

/** Keeps proxies from closing a quiet connection. */
const HEARTBEAT_SECONDS = 15;

/** What a kind of stream tells of histories. Both answer why the stream ends now, if it does. */
export interface Teller {
	/** Of the first history, unless the client says that it has it. */
	readonly tellFirst: (events: SSEStreamingApi, first: History) => Promise<EndReason | undefined>;
	/** Of another history than before. */
	readonly tellChange: (events: SSEStreamingApi, now: History, before: History) => Promise<EndReason | undefined>;
}

/** An event's id names the state that a client has behind it. */
export const eventId = (history: History) => history.etag.slice(1, -1);

/** Whether the client says that it has this history, by the `Last-Event-ID` with which EventSource comes back. */
export function isCurrent(c: Context<AppEnv>, history: History): boolean {
	return c.req.header("last-event-id") === eventId(history);
}

/**
 * Answers with server-sent events (HTML Living Standard, 9.2), from a first history that was read before: whatever
 * refuses the request has done so by then.
 */
export function streamHistory(c: Context<AppEnv>, chatId: string, first: History, teller: Teller): Response {
	const { scope, rereadSession } = c.var;
	const start = Date.now();
	return streamSSE(c, async (events) => {
		let ended: EndReason | undefined;
		try {
			await events.write(`retry: ${RETRY_MILLISECONDS}\n\n`);
			if (!isCurrent(c, first)) ended = await teller.tellFirst(events, first);
			let before = first;
			let writtenAt = Date.now();
			const watch = { chatId, seen: first, rereadSession, isGone: () => events.aborted };
			for await (const look of ended ? [] : watchHistory(scope, watch)) {
				if ("end" in look) {
					ended = look.end;
				} else if (look.history) {
					ended = await teller.tellChange(events, look.history, before);
					before = look.history;
					writtenAt = Date.now();
				} else if (Date.now() - writtenAt >= HEARTBEAT_SECONDS * 1000) {
					await events.write(": heartbeat\n\n");
					writtenAt = Date.now();
				}
				if (ended) break;
			}
			if (ended) await events.writeSSE({ event: "end", data: JSON.stringify({ reason: ended }) });
		} catch (error) {
			// The client comes back by itself, and is answered afresh.
			logError({ requestId: scope.requestId, event: "stream" }, error);
		} finally {
			const seconds = Math.round((Date.now() - start) / 1000);
			logInfo({
				requestId: scope.requestId,
				event: "stream",
				seconds,
				ended: ended ?? (events.aborted ? "client" : "time"),
			});
		}
	});
}
