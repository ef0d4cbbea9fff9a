import { withDeadline } from "../deadline.ts";
import { readConfig } from "../env.ts";
import { logError } from "../log.ts";
import type { Scope } from "../scope.ts";

/** A chat's history as this data centre keeps it: the served body, its owner, and its age. */
export interface HistoryEntry {
	/** The chat's owner. */
	readonly userId: string;
	/** The chat's revision that the body shows. */
	readonly revision: string;
	/** The body's entity tag, with its quotes (RFC 9110, 8.8.3). */
	readonly etag: string;
	/** The D1 bookmark of the read; null if D1 gave no bookmark. */
	readonly bookmark: string | null;
	/** When the body was read from D1, in milliseconds since the epoch. */
	readonly readAt: number;
	/** When D1 last confirmed that the chat has this `revision`, in milliseconds since the epoch. */
	readonly checkedAt: number;
	/** The served JSON, in UTF-8. */
	readonly body: ArrayBuffer;
}

/** An entry without its body. */
export type HistoryMeta = Omit<HistoryEntry, "body">;

/** The header that keeps an entry's meta. */
const META = "x-history";

interface KeptMeta extends HistoryMeta {
	readonly chatId: string;
	readonly byteLength: number;
}

/** Part of every key. Raise it when the served shape or the shape of an entry changes. */
export const SHAPE_VERSION = 2;

/**
 * A named cache: a `fetch` through the zone also reads the default one. The key has a host that no zone can have
 * (RFC 6761, 6.4), and nothing of the request but the chat id. It is a bare URL, since `match` answers 304 and ranges
 * by itself to a request with those headers.
 */
export const openCache = () => caches.open("edge-runs-history");
export const CACHE_ORIGIN = "https://history.invalid";
const keyOf = (chatId: string) => `${CACHE_ORIGIN}/v${SHAPE_VERSION}/chats/${chatId}`;

/**
 * The entry of a chat, or null if the cache has no entry. A cache that fails or hangs costs speed, not answers. An entry
 * that is cut short, or belongs to another chat, is ignored.
 */
export async function loadHistory(scope: Scope, chatId: string): Promise<HistoryEntry | null> {
	return match(scope, chatId, async (response, { byteLength, ...meta }) => {
		const body = await response.arrayBuffer();
		return byteLength === body.byteLength ? { ...meta, body } : null;
	});
}

/** As `loadHistory`, for callers that only need the entry's meta. */
export async function peekHistory(scope: Scope, chatId: string): Promise<HistoryMeta | null> {
	return match(scope, chatId, async (response, meta) => {
		await response.body?.cancel();
		return meta;
	});
}

async function match<T>(
	{ env, requestId }: Scope,
	chatId: string,
	use: (response: Response, meta: Omit<KeptMeta, "chatId">) => Promise<T | null>,
): Promise<T | null> {
	const find = async () => {
		const response = await (await openCache()).match(keyOf(chatId));
		if (!response) return null;
		const kept = JSON.parse(decodeURIComponent(response.headers.get(META) ?? "")) as KeptMeta;
		const { chatId: keptFor, ...meta } = kept;
		return keptFor === chatId ? await use(response, meta) : null;
	};
	try {
		return await withDeadline(find(), readConfig(env).storeTimeoutSeconds);
	} catch (error) {
		logError({ requestId, event: "cache", doing: "match" }, error);
		return null;
	}
}

/** Keeps the entry of a chat for `seconds`. Never rejects. */
export async function storeHistory(
	{ requestId }: Scope,
	chatId: string,
	{ body, ...entry }: HistoryEntry,
	seconds: number,
): Promise<void> {
	const meta: KeptMeta = { ...entry, chatId, byteLength: body.byteLength };
	// Percent-encoded, since a header takes only Latin-1, and a user id may be any text.
	const headers = { "cache-control": `max-age=${seconds}`, [META]: encodeURIComponent(JSON.stringify(meta)) };
	try {
		await (await openCache()).put(keyOf(chatId), new Response(body, { headers }));
	} catch (error) {
		logError({ requestId, event: "cache", doing: "put" }, error);
	}
}

/** Forgets the entry of a chat. Never rejects. */
export async function forgetHistory({ requestId }: Scope, chatId: string): Promise<void> {
	try {
		await (await openCache()).delete(keyOf(chatId));
	} catch (error) {
		logError({ requestId, event: "cache", doing: "delete" }, error);
	}
}
