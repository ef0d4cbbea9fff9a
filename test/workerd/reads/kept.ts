import { env } from "cloudflare:workers";
import {
	cacheKey,
	findHistory,
	type HistoryMeta,
	readBody,
	storeHistory,
} from "../../../src/workflow-runs/edge-cache.ts";

/** As `request` and `requestWith` call the service. */
const scope = { env, host: "edge-runs.test", requestId: "test", facts: {}, waitUntil: () => {} };

export type KeptHistory = HistoryMeta & { readonly body: ArrayBuffer };

/** What the edge cache holds of a chat. */
export async function keptHistory(chat: string): Promise<KeptHistory | null> {
	const copy = await findHistory(scope, chat);
	if (!copy) return null;
	const { entry: _, ...meta } = copy;
	return { ...meta, body: (await readBody(scope, chat, copy)) as ArrayBuffer };
}

/** Puts an entry into the edge cache as the service does. */
export async function keep(chat: string, history: KeptHistory): Promise<void> {
	await storeHistory(scope, chat, history, 3600);
}

/** Makes the chat's entry look as old as `seconds`, since it was read or since D1 confirmed it. */
export async function age(chat: string, seconds: { read?: number; checked?: number }): Promise<void> {
	const kept = (await keptHistory(chat)) as KeptHistory;
	const readAt = kept.readAt - 1000 * (seconds.read ?? 0);
	await keep(chat, { ...kept, readAt, checkedAt: kept.checkedAt - 1000 * (seconds.checked ?? 0) });
}

/** The key of a chat's entry, for tests that put something else there. */
export const keyOf = (chat: string) => cacheKey(scope, `chats/${chat}`);
