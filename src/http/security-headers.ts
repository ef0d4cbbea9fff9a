import { secureHeaders } from "hono/secure-headers";

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
