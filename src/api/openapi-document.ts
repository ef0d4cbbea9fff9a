import type { OpenAPIHono } from "@hono/zod-openapi";
import { version } from "../../package.json";
import { sessionCookiePrefix } from "../env.ts";
import type { AppEnv } from "../http/app-env.ts";
import { RECORDER_TOKEN, SECURE_SESSION_COOKIE, SESSION_COOKIE } from "../http/openapi.ts";

/** Serves the OpenAPI 3.1 document of all routes, made once an isolate, at the first request for it. */
export function serveOpenApi(app: OpenAPIHono<AppEnv>): void {
	let document: ReturnType<typeof app.getOpenAPI31Document> | undefined;
	app.get("/api/openapi.json", (c) => {
		document ??= describe(app, sessionCookiePrefix(c.env.SESSION_COOKIE_PREFIX));
		return c.json(document);
	});
}

function describe(app: OpenAPIHono<AppEnv>, cookiePrefix: string) {
	const description = "better-auth's signed session cookie";
	const name = `${cookiePrefix}.session_token`;
	const { openAPIRegistry: registry } = app;
	registry.registerComponent("securitySchemes", SESSION_COOKIE, { type: "apiKey", in: "cookie", name, description });
	registry.registerComponent("securitySchemes", SECURE_SESSION_COOKIE, {
		type: "apiKey",
		in: "cookie",
		name: `__Secure-${name}`,
		description: `${description}, over https`,
	});
	registry.registerComponent("securitySchemes", RECORDER_TOKEN, {
		type: "http",
		scheme: "bearer",
		description: "A service token, one of the secret RECORDER_TOKENS",
	});
	return app.getOpenAPI31Document({
		openapi: "3.1.0",
		info: {
			title: "edge-runs",
			version,
			description: "Records workflow runs and serves a chat's run history, from the edge, to the chat's owner.",
			license: { name: "MIT", url: "https://spdx.org/licenses/MIT" },
		},
		servers: [{ url: "/" }],
		tags: [{ name: "Workflow runs" }, { name: "Recording" }, { name: "Operation" }],
	});
}
