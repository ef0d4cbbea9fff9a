import { Hono } from "hono";
import { secureHeaders } from "hono/secure-headers";
import { requireSession } from "../access/require-session.ts";
import type { AppEnv } from "../http/app-env.ts";
import { toServiceError } from "../http/errors.ts";
import { STRICT_TRANSPORT } from "../http/security-headers.ts";
import { showError } from "./show-error.tsx";
import { showRuns } from "./show-runs.tsx";

/*
 * The pages are part of the Worker's one bundle: `import()` would not keep them out of it, and makes it larger.
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
		strictTransportSecurity: STRICT_TRANSPORT,
		xFrameOptions: "DENY",
		xXssProtection: false,
	}),
);
pages.get("/:chatId", requireSession, showRuns);
pages.onError((thrown, c) => showError(c, toServiceError(thrown, c)));
