import { Hono } from "hono";
import { secureHeaders } from "hono/secure-headers";
import { trimTrailingSlash } from "hono/trailing-slash";
import { requireSession } from "../access/require-session.ts";
import type { AppEnv } from "../http/app-env.ts";
import { toServiceError } from "../http/errors.ts";
import { STRICT_TRANSPORT } from "../http/security-headers.ts";
import { showError } from "./show-error.tsx";
import { showRun } from "./show-run.tsx";
import { showRuns } from "./show-runs.tsx";

/*
 * The pages are imported as usual: the Worker is one bundle, which `import()` would only make larger.
 */
export const pages = new Hono<AppEnv>();

/*
 * Everything comes from this origin, and nothing is inline. Trusted Types forbid the script to turn text into
 * markup. It only makes elements, so a step's name stays text, whatever it contains.
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
// People type addresses.
pages.use(trimTrailingSlash({ alwaysRedirect: true }));
pages.get("/:chatId", requireSession, showRuns);
pages.get("/:chatId/runs/:runId", requireSession, showRun);
pages.onError((thrown, c) => showError(c, toServiceError(thrown, c)));
