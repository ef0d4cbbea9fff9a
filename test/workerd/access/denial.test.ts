import { expect, it } from "vitest";
import { app } from "../../../src/app.ts";
import { openApiOperations } from "../conforms.ts";
import { describeDenials } from "./denial.ts";

const operations = await openApiOperations();

/** Routes under /api that are for everyone. A new one is named here, or asks for credentials. */
const PUBLIC = ["GET /api/health", "GET /api/openapi.json"];

const secured = operations.filter(({ operation }) => operation.security?.some((scheme) => "sessionCookie" in scheme));

// Whatever the published document says asks for a session is denied without one. What is about no single chat has a suite
// of its own: test/workerd/reads/user-runs.test.ts.
const OVER_ALL_CHATS = ["/api/workflow-runs", "/api/workflow-runs/active"];
for (const { method, path } of secured.filter((route) => !OVER_ALL_CHATS.includes(route.path))) {
	describeDenials(`${method} ${path}`, {
		method,
		path: (chatId, runId) => path.replace("{chatId}", encodeURIComponent(chatId)).replace("{runId}", runId),
	});
}

describeDenials("GET /chats/{chatId}", {
	method: "GET",
	path: (chatId) => `/chats/${encodeURIComponent(chatId)}`,
	isPage: true,
});

describeDenials("GET /chats/{chatId}/runs/{runId}", {
	method: "GET",
	path: (chatId, runId) => `/chats/${encodeURIComponent(chatId)}/runs/${runId}`,
	isPage: true,
});

it("every route under /api is public by name, or asks for credentials in the published document", () => {
	const documented = operations
		.filter(({ operation }) => operation.security?.length)
		.map(({ method, path }) => `${method} ${path}`);
	const served = app.routes
		.filter(({ method, path }) => method !== "ALL" && path.startsWith("/api/"))
		.map(({ method, path }) => `${method} ${path.replace(/:(\w+)(\{.*?\})?/g, "{$1}")}`);

	expect([...new Set(served)].sort()).toEqual([...documented, ...PUBLIC].sort());
	expect(secured.map(({ path }) => path)).toEqual(
		expect.arrayContaining(["/api/chats/{chatId}/workflow-runs", "/api/chats/{chatId}/workflow-runs/{runId}"]),
	);
});
