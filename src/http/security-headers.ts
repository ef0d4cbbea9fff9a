import { secureHeaders } from "hono/secure-headers";

/** RFC 6797: 180 days, in seconds. For this host only: other hosts of its domain may not serve https. */
export const STRICT_TRANSPORT = "max-age=15552000";

/** The API's answers are data for programs. A browser must not run or frame them, or guess their type. */
export const secureApi = secureHeaders({
	contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
	strictTransportSecurity: STRICT_TRANSPORT,
	xFrameOptions: "DENY",
	// Only pages need these.
	crossOriginOpenerPolicy: false,
	originAgentCluster: false,
	xDnsPrefetchControl: false,
	xDownloadOptions: false,
	xPermittedCrossDomainPolicies: false,
	xXssProtection: false,
});
