import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { pseudonym } from "../access/pseudonym.ts";
import { UserId } from "../chats/schemas.ts";
import { readConfig } from "../env.ts";
import { ServiceError } from "../errors.ts";
import type { AppEnv } from "../http/app-env.ts";

/** The path's parameter of a route about a user: `/api/users/{userId}`. */
export const userIdParameter = z.object({ userId: UserId });

/**
 * Takes the user that a request is about, and names them in its log line.
 * @param userId as the route has read it from the path
 * @throws {ServiceError} INVALID_PARAMETER if the path is not percent-encoded UTF-8: what Hono leaves as it stands would
 *   name another user
 */
export async function aboutUser(c: Context<AppEnv>, userId: string): Promise<string> {
	try {
		decodeURIComponent(new URL(c.req.url).pathname);
	} catch {
		throw new ServiceError("INVALID_PARAMETER", "userId: is not percent-encoded UTF-8");
	}
	c.var.scope.facts.user = await pseudonym(readConfig(c.env).sessionSecrets[0], userId);
	return userId;
}
