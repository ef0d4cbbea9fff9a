import { Hono } from "hono";
import { secureHeaders } from "hono/secure-headers";
import type { AppEnv } from "../app-env";
import { toServiceError } from "../handle-errors";
import { requireSession } from "../session/require-session";

/**
 * The pages. Their modules are loaded at the first request for one, so that the API starts without them.
 */
export const pages = new Hono<AppEnv>();

/*
 * Everything comes from this origin, and nothing is inline. Trusted Types forbid the script to turn text into
 * markup at all: it makes elements only, so that a step's name stays text whatever is in it.
 */
pages.use(
	secureHeaders({
		contentSecurityPolicy: {
			defaultSrc: ["'none'"],
			scriptSrc: ["'self'"],
			styleSrc: ["'self'"],
			imgSrc: ["'self'"],
			connectSrc: ["'self'"],
			baseUri: ["'none'"],
			formAction: ["'none'"],
			frameAncestors: ["'none'"],
			requireTrustedTypesFor: ["'script'"],
			trustedTypes: ["'none'"],
		},
		xFrameOptions: "DENY",
		xXssProtection: false,
	}),
);
pages.get("/:chatId", requireSession, async (c) => (await import("./show-runs")).showRuns(c));
pages.onError(async (thrown, c) => (await import("./show-error")).showError(c, toServiceError(thrown, c)));
