import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { version } from "../../package.json";
import type { Env } from "../env.ts";
import { ConfigurationError, sessionCookiePrefix } from "../env-values.ts";
import { isKnown, type JsonBody, jsonBody } from "../etag.ts";
import type { AppEnv } from "../http/app-env.ts";
import {
	ErrorResponse,
	errors,
	json,
	OPERATOR_TOKEN,
	READ_TOKEN,
	RECORDER_TOKEN,
	SECURE_SESSION_COOKIE,
	SESSION_COOKIE,
} from "../http/openapi.ts";
import { headers } from "../http/openapi-headers.ts";
import { agUiEventsSchema } from "./record-ag-ui-events.ts";

export const getOpenApiDocumentRoute = createRoute({
	method: "get",
	path: "/api/openapi.json",
	operationId: "getOpenApiDocument",
	summary: "This document",
	description: "OpenAPI 3.1. Nobody needs to sign in.",
	tags: ["Operation"],
	security: [],
	responses: {
		200: json(z.object({ openapi: z.string() }), "The document"),
		304: { description: "The client has it: `If-None-Match` names its entity tag", headers },
		...errors("METHOD_NOT_ALLOWED", "INTERNAL_ERROR"),
	},
});

/** A deploy changes it, and nothing else does. In seconds. */
const CACHE_CONTROL = "public, max-age=300";

/** Serves the document of all routes, made once an isolate, at the first request for it. */
export function serveOpenApiDocument(app: OpenAPIHono<AppEnv>): void {
	let document: Promise<JsonBody> | undefined;
	app.openapi(getOpenApiDocumentRoute, async (c) => {
		document ??= readDocument(app, c.env);
		const { body, etag } = await document.catch((error) => {
			document = undefined;
			throw error;
		});
		const kept = { "cache-control": CACHE_CONTROL, etag };
		if (isKnown(c.req.header("if-none-match"), etag)) return c.body(null, 304, kept);
		return c.body(body, 200, { ...kept, "content-type": "application/json" }) as never;
	});
}

/** A host for the asset's address, of which only the path counts (RFC 6761, 6.4). */
const ASSET = "https://assets.invalid/openapi.json";

/** The document as it was made when the Worker was built; or made now, by a build that has what that takes. */
async function readDocument(app: OpenAPIHono<AppEnv>, { ASSETS, SESSION_COOKIE_PREFIX }: Env): Promise<JsonBody> {
	const prefix = sessionCookiePrefix(SESSION_COOKIE_PREFIX);
	if (app.openAPIRegistry.definitions.length > 0) return jsonBody(JSON.stringify(describe(app, prefix)));
	if (!ASSETS) throw new ConfigurationError("ASSETS is not bound: bind the static assets in wrangler.toml");
	const built = (await (await ASSETS.fetch(ASSET)).json()) as ReturnType<typeof describe>;
	const { securitySchemes } = built.components ?? {};
	Object.assign(securitySchemes?.[SESSION_COOKIE] ?? {}, { name: cookieNames(prefix).plain });
	Object.assign(securitySchemes?.[SECURE_SESSION_COOKIE] ?? {}, { name: cookieNames(prefix).secure });
	return jsonBody(JSON.stringify(built));
}

const cookieNames = (prefix: string) => ({
	plain: `${prefix}.session_token`,
	secure: `__Secure-${prefix}.session_token`,
});

function describe(app: OpenAPIHono<AppEnv>, cookiePrefix: string) {
	const description = "better-auth's signed session cookie";
	const { plain, secure } = cookieNames(cookiePrefix);
	const { openAPIRegistry: registry } = app;
	registry.registerComponent("schemas", "AgUiEvents", agUiEventsSchema);
	registry.registerComponent("securitySchemes", SESSION_COOKIE, {
		type: "apiKey",
		in: "cookie",
		name: plain,
		description,
	});
	registry.registerComponent("securitySchemes", SECURE_SESSION_COOKIE, {
		type: "apiKey",
		in: "cookie",
		name: secure,
		description: `${description}, over https`,
	});
	registry.registerComponent("securitySchemes", READ_TOKEN, {
		type: "http",
		scheme: "bearer",
		bearerFormat: "JWT",
		description:
			"A read token, made by your own server: a JWT signed by HS256 with the secret READ_TOKEN_SECRET. Claims: `sub`, the " +
			"user's id; `exp`, at most a day ahead; `chat`, the only chat that it opens (left out: all of the user's). Where a " +
			"cookie comes too, the token counts",
	});
	registry.registerComponent("securitySchemes", RECORDER_TOKEN, {
		type: "http",
		scheme: "bearer",
		description: "A service token, one of the secret RECORDER_TOKENS",
	});
	registry.registerComponent("securitySchemes", OPERATOR_TOKEN, {
		type: "http",
		scheme: "bearer",
		description:
			"An operator token, one of the secret OPERATOR_TOKENS. It opens what is for operators, and nothing else",
	});
	registry.register("Error", ErrorResponse);
	return app.getOpenAPI31Document({
		openapi: "3.1.0",
		info: {
			title: "edge-runs",
			version,
			description: "Records workflow runs and serves a chat's run history, from the edge, to the chat's owner.",
			contact: { name: "The developers of edge-runs" },
			license: { name: "MIT", url: "https://spdx.org/licenses/MIT" },
		},
		servers: [{ url: "/" }],
		tags: [
			{ name: "Workflow runs", description: "For the owner of a chat: its runs, read or followed" },
			{ name: "Recording", description: "For recorders: chats and runs, reported with a service token" },
			{
				name: "Personal data",
				description: "For operators, with an operator token: what is stored of a person, exported and erased",
			},
			{ name: "Admin", description: "An operator's look at a chat, a run, a user and the service: it changes nothing" },
			{ name: "Operation", description: "For monitors and programs: how the service is, and this document" },
		],
	});
}
