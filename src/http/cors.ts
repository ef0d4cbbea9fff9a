import type { MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import { type Env, readConfig } from "../env.ts";
import type { AppEnv } from "./app-env.ts";

/** How long a browser may keep a preflight's answer, in seconds: the most that Chromium allows. */
const PREFLIGHT_SECONDS = 7200;

const forAllowedOrigins = cors({
	origin: (origin, c) => (originsOf(c.env).includes(origin) ? origin : null),
	credentials: true,
	allowMethods: ["GET", "HEAD"],
	allowHeaders: ["authorization", "content-type", "if-none-match", "last-event-id", "x-d1-bookmark", "x-request-id"],
	exposeHeaders: ["age", "cache-status", "etag", "retry-after", "server-timing", "x-d1-bookmark", "x-request-id"],
	maxAge: PREFLIGHT_SECONDS,
});

/** Lets pages of the `ALLOWED_ORIGINS` read with their user's cookie or a read token (CORS, Fetch Standard 3.3). */
export const allowOrigins: MiddlewareHandler<AppEnv> = async function allowOrigins(c, next) {
	if (originsOf(c.env).length === 0) return next();
	return forAllowedOrigins(c, next);
};

/** Empty if the configuration is wrong: /api/health must still answer, and other routes report the fault themselves. */
function originsOf(env: Env): readonly string[] {
	try {
		return readConfig(env).allowedOrigins;
	} catch {
		return [];
	}
}
