import type { Context, TypedResponse } from "hono";
import { isKnown } from "../etag.ts";
import type { Scope } from "../scope.ts";
import type { AppEnv } from "./app-env.ts";

/** Where a response comes from. Its headers say so. */
export interface Origin {
	/** A `Cache-Status` member's parameters (RFC 9211, 2), e.g. `hit`. */
	readonly cacheStatus: string;
	/** Seconds since D1 last confirmed it; undefined if it comes straight from D1. */
	readonly age?: number | undefined;
	/** D1 bookmark. A later read with it sees at least as much. */
	readonly bookmark: string | null;
}

/** JSON that is ready to be sent. Its body may be left out where `isUnread`. */
export interface ServedJson {
	readonly body?: ArrayBuffer | ReadableStream<Uint8Array> | undefined;
	readonly etag: string;
}

/** Whether the answer to a request has no body if the JSON has this entity tag. */
export function isUnread(c: Context<AppEnv>, etag: string): boolean {
	return c.req.method === "HEAD" || isKnown(c.req.header("if-none-match"), etag);
}

/**
 * Answers 200 with JSON that is ready to be sent, or 304 to a client that has it (RFC 9110, 13.1.2).
 * @typeParam T the type of the parsed body
 */
export function respondWithJson<T>(c: Context<AppEnv>, { body, etag }: ServedJson, origin: Origin) {
	const headers: Record<string, string> = {
		"cache-control": "private, no-cache",
		"cache-status": `edge-runs; ${origin.cacheStatus}`,
		etag,
	};
	if (origin.age !== undefined) headers["age"] = String(origin.age);
	if (origin.bookmark) headers["x-d1-bookmark"] = origin.bookmark;
	const timing = serverTiming(c.get("scope"));
	if (timing) headers["server-timing"] = timing;

	const known = isKnown(c.req.header("if-none-match"), etag);
	if (!known) headers["content-type"] = "application/json";
	const isEmpty = known || body === undefined;
	const response = isEmpty ? c.body(null, known ? 304 : 200, headers) : c.body(body, 200, headers);
	return response as unknown as TypedResponse<T, 200, "json"> & Response;
}

/** Gives the response to a write the bookmark. A read with that bookmark includes the write. */
export function respondWritten(c: Context<AppEnv>, bookmark: string | null): void {
	c.header("cache-control", "no-store");
	if (bookmark) c.header("x-d1-bookmark", bookmark);
}

/** `Server-Timing` (W3C): how long KV and D1 took, in milliseconds. They overlap. */
function serverTiming({ facts }: Scope): string {
	const entries = [];
	if (facts.kvMilliseconds !== undefined) entries.push(`kv;dur=${facts.kvMilliseconds}`);
	if (facts.d1Milliseconds !== undefined) entries.push(`d1;dur=${facts.d1Milliseconds}`);
	return entries.join(", ");
}
