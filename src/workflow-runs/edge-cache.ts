import { withDeadline } from "../deadline.ts";
import { readConfig } from "../env.ts";
import { logError } from "../log.ts";
import type { Scope } from "../scope.ts";
import { mayReplace } from "./decide.ts";
import { dropNotes, isNotedWhole, noteConfirmed, noteFound, noteWhole, recall } from "./entry-notes.ts";

/** A chat's history as this data centre keeps it, without its body: whose it is, and how old it is. */
export interface HistoryMeta {
	/** The chat's owner. */
	readonly userId: string;
	/** The chat's revision that the body shows. */
	readonly revision: string;
	/** The chat's change number with that revision. */
	readonly change: number;
	/** The body's entity tag, with its quotes (RFC 9110, 8.8.3). */
	readonly etag: string;
	/** The body's length. */
	readonly byteLength: number;
	/** D1's own bookmark of the read, or null where D1 gave none. */
	readonly bookmark: string | null;
	/** When the body was read from D1, in milliseconds since the epoch. */
	readonly readAt: number;
	/** When D1 last said that `revision` is the chat's, in milliseconds since the epoch. */
	readonly checkedAt: number;
}

/** A kept history. Its body, the served JSON in UTF-8, is not read yet: `readBody`, `passBody` or `dropBody`. */
export interface HistoryCopy extends HistoryMeta {
	readonly entry: Response;
}

/** The header that keeps an entry's meta. */
const META = "x-history";

interface KeptMeta extends HistoryMeta {
	readonly chatId: string;
}

/** Part of every key. Raise it when the served shape or the shape of an entry changes. */
export const SHAPE_VERSION = 2;

/**
 * A cache of its own, which no `fetch` through the zone reads: only the default one is shared with those. The key is
 * under the service's own host, as the Cache API asks for: under another, a look-up may cost a DNS query, or find
 * nothing. Who asks for that address gets to this Worker, which has no such route.
 * Nothing else of a request but the chat id is in the key, and it is a bare URL, since `match` answers 304 and ranges
 * by itself to a request that asks for them.
 */
export const openCache = () => caches.open("edge-runs-history");
export const cacheKey = ({ host }: Scope, name: string) => `https://${host}/api/kept/v${SHAPE_VERSION}/${name}`;
const keyOf = (scope: Scope, chatId: string) => cacheKey(scope, `chats/${chatId}`);

/**
 * The copy of a chat's history, or null if there is none. A cache that fails or hangs costs speed, not answers. An
 * entry of another chat, or whose body is not said to be as long as it was, counts as none.
 */
export async function findHistory(scope: Scope, chatId: string): Promise<HistoryCopy | null> {
	try {
		return await withDeadline(find(keyOf(scope, chatId), chatId), readConfig(scope.env).storeTimeoutSeconds, scope);
	} catch (error) {
		logError(scope, { event: "cache", doing: "match" }, error);
		return null;
	}
}

async function find(key: string, chatId: string): Promise<HistoryCopy | null> {
	const entry = await (await openCache()).match(key);
	if (!entry) return null;
	const { chatId: keptFor, ...meta } = JSON.parse(entry.headers.get(META) ?? "") as KeptMeta;
	const length = entry.headers.get("content-length");
	const isWhole = length === null || Number(length) === meta.byteLength;
	if (keptFor === chatId && isWhole) return { ...noteFound(key, meta), entry };
	dropBody({ entry });
	return null;
}

const NO_ENTRY = new Response(null);

/** The copy of a chat's history as this isolate last knew it, without looking for it: for somebody who has its body. */
export function recallHistory(scope: Scope, chatId: string): HistoryCopy | null {
	const meta = recall(keyOf(scope, chatId));
	return meta ? { ...meta, entry: NO_ENTRY } : null;
}

/**
 * The whole body of a copy. One that is cut short, or hangs, is logged and forgotten.
 * @returns null if it is not whole
 */
export async function readBody(scope: Scope, chatId: string, copy: HistoryCopy): Promise<ArrayBuffer | null> {
	try {
		const body = await withDeadline(copy.entry.arrayBuffer(), readConfig(scope.env).storeTimeoutSeconds, scope);
		if (body.byteLength !== copy.byteLength) throw new Error(`cut at ${body.byteLength} of ${copy.byteLength} bytes`);
		noteWhole(keyOf(scope, chatId), copy);
		return body;
	} catch (error) {
		logError(scope, { event: "cache", doing: "read" }, error);
		scope.waitUntil(forgetHistory(scope, chatId));
		return null;
	}
}

/** Up to this many bytes it costs no more to read a body than to pass it on: measured, in workerd. */
const SMALL_BYTES = 128 * 1024;

/**
 * The body of a copy, to be sent. A large one is passed on unread where this isolate has read it once and found it
 * whole. Should it be cut since, it ends before its `Content-Length`: the client sees a broken answer, not a short one,
 * and the entry is replaced within a minute. Any other is read first.
 * @returns null if it is not whole
 */
export async function passBody(
	scope: Scope,
	chatId: string,
	copy: HistoryCopy,
): Promise<ArrayBuffer | ReadableStream<Uint8Array> | null> {
	const { entry, byteLength } = copy;
	const isSmall = byteLength <= SMALL_BYTES || !entry.body;
	if (isSmall || !isNotedWhole(keyOf(scope, chatId), copy)) return readBody(scope, chatId, copy);
	const { readable, writable } = new FixedLengthStream(byteLength);
	// Fails where the client goes, too. Nothing is left to be done, nor to be told: see above.
	entry.body.pipeTo(writable).catch(() => {});
	return readable;
}

/** Says that nobody will read a copy's body. */
export function dropBody({ entry }: Pick<HistoryCopy, "entry">): void {
	// Of a stream that has failed meanwhile.
	entry.body?.cancel().catch(() => {});
}

/** Keeps a history for `seconds`, unless a newer one is kept already. Never rejects. */
export async function storeHistory(
	scope: Scope,
	chatId: string,
	{ body, ...meta }: HistoryMeta & { readonly body: ArrayBuffer },
	seconds: number,
): Promise<void> {
	const key = keyOf(scope, chatId);
	const kept: KeptMeta = { ...meta, chatId };
	const headers = { "cache-control": `max-age=${seconds}`, [META]: asciiJson(kept) };
	try {
		const before = await findHistory(scope, chatId);
		if (before) dropBody(before);
		if (before && !mayReplace(before, meta, Date.now())) return;
		dropNotes(key);
		await (await openCache()).put(key, new Response(body, { headers }));
	} catch (error) {
		logError(scope, { event: "cache", doing: "put" }, error);
	}
}

/** JSON for a header, which takes no other characters: a user id may be any text. */
function asciiJson(value: unknown): string {
	const escaped = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
	return JSON.stringify(value).replace(/[^ -~]/g, escaped);
}

/** Notes that D1 has confirmed the kept history. */
export function confirmHistory(scope: Scope, chatId: string, meta: HistoryMeta): void {
	noteConfirmed(keyOf(scope, chatId), meta);
}

/** Forgets the entry of a chat. Never rejects. */
export async function forgetHistory(scope: Scope, chatId: string): Promise<void> {
	const key = keyOf(scope, chatId);
	try {
		dropNotes(key);
		await (await openCache()).delete(key);
	} catch (error) {
		logError(scope, { event: "cache", doing: "delete" }, error);
	}
}
