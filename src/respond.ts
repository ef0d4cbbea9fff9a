import type { Context, TypedResponse } from "hono";
import type { AppEnv } from "./app-env";

/** Part of every ETag: raise it when the served shape changes, so that no client keeps the old one. */
const SHAPE_VERSION = 1;

/**
 * Answers 200 with JSON that is already text, of a chat at a revision.
 * @typeParam T what the text parses to
 */
export function respondWithJson<T>(c: Context<AppEnv>, text: string, revision: string) {
	return c.body(text, 200, {
		"content-type": "application/json",
		"cache-control": "private, no-cache",
		etag: `"${SHAPE_VERSION}-${revision}"`,
	}) as unknown as TypedResponse<T, 200, "json"> & Response;
}
