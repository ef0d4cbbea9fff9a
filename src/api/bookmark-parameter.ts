import type { Context } from "hono";
import { BOOKMARK } from "../db/bookmark.ts";
import { ServiceError } from "../errors.ts";
import type { AppEnv } from "../http/app-env.ts";

const NAME = "x-d1-bookmark";

/** For a route's OpenAPI contract. Not a zod schema, which would have all headers of every read made into an object. */
export const bookmarkParameter = {
	in: "header" as const,
	name: NAME,
	required: false,
	schema: { type: "string" as const, pattern: BOOKMARK.source },
	example: "00000085-0000024c-00004c6d-8e61117bf38d7adb71b934ebbf891683",
	description:
		"Read your writes: the `x-d1-bookmark` of an earlier response, e.g. a recorder's. The answer includes what that response saw",
};

/**
 * The bookmark that a reader sends, if any.
 * @throws {ServiceError} INVALID_PARAMETER, or before that what the session rejects with
 */
export async function readBookmark(c: Context<AppEnv>): Promise<string | undefined> {
	const bookmark = c.req.header(NAME);
	if (bookmark === undefined || BOOKMARK.test(bookmark)) return bookmark;
	await c.var.session;
	throw new ServiceError("INVALID_PARAMETER", `${NAME}: is not a bookmark that this service gave out`);
}
