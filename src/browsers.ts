import type { MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import { secureHeaders } from "hono/secure-headers";
import type { AppEnv } from "./app-env.ts";
import { type Env, readConfig } from "./env.ts";

/** How long a browser may keep a preflight's answer: Chromium's own upper bound, in seconds. */
const PREFLIGHT_SECONDS = 7200;

const forAllowedOrigins = cors({
	origin: (origin, c) => (originsOf(c.env).includes(origin) ? origin : null),
	credentials: true,
	allowMethods: ["GET", "HEAD"],
	allowHeaders: ["content-type", "if-none-match", "last-event-id", "x-d1-bookmark", "x-request-id"],
	exposeHeaders: ["age", "cache-status", "etag", "retry-after", "server-timing", "x-d1-bookmark", "x-request-id"],
	maxAge: PREFLIGHT_SECONDS,
});

/** Lets pages of the `ALLOWED_ORIGINS` read with their user's cookie (CORS, Fetch Standard 3.3). Without any: no CORS. */
export const allowOrigins: MiddlewareHandler<AppEnv> = async function allowOrigins(c, next) {
	if (originsOf(c.env).length === 0) return next();
	return forAllowedOrigins(c, next);
};

/** None where the configuration is wrong: whatever needs it says so itself, and /api/health must answer all the same. */
function originsOf(env: Env): readonly string[] {
	try {
		return readConfig(env).allowedOrigins;
	} catch {
		return [];
	}
}

/** RFC 6797. Of this host alone: what else lies under its domain is not ours to answer for. In seconds, 180 days. */
export const STRICT_TRANSPORT = "max-age=15552000";

/** The API's answers are data, for programs: nothing in them is to be run, framed or guessed at. */
export const secureApi = secureHeaders({
	contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
	strictTransportSecurity: STRICT_TRANSPORT,
	xFrameOptions: "DENY",
	// Of use to pages only.
	crossOriginOpenerPolicy: false,
	originAgentCluster: false,
	xDnsPrefetchControl: false,
	xDownloadOptions: false,
	xPermittedCrossDomainPolicies: false,
	xXssProtection: false,
});
