import { env } from "cloudflare:workers";
import { Hono } from "hono";
import { requestId } from "hono/request-id";
import { expect, it } from "vitest";
import { requireOperator } from "../../../src/access/require-operator.ts";
import type { AppEnv } from "../../../src/http/app-env.ts";
import { onError } from "../../../src/http/errors.ts";
import { openScope } from "../../../src/http/request-log.ts";
import { openApiOperations } from "../conforms.ts";
import { describeTokenDenials } from "../recording/denial.ts";
import { OPERATOR_TOKENS, TOKENS } from "../recording/recorder.ts";

const operations = await openApiOperations();
const secured = operations.filter(({ operation }) => operation.security?.some((scheme) => "operatorToken" in scheme));

// Whatever the published document says asks for an operator token is denied without one.
for (const { method, path } of secured) {
	describeTokenDenials("operator", `${method} ${path}`, {
		method,
		path: (chatId, runId, userId) =>
			path.replace("{chatId}", chatId).replace("{runId}", runId).replace("{userId}", encodeURIComponent(userId)),
	});
}

it("what is for operators asks for an operator token and for nothing else", () => {
	const schemes = operations
		.filter(({ path }) => /^\/api\/(users|admin)\//.test(path))
		.flatMap(({ operation }) => operation.security?.flatMap((scheme) => Object.keys(scheme)) ?? ["none"]);
	expect(new Set(schemes)).toEqual(new Set(secured.length > 0 ? ["operatorToken"] : []));
});

it("an operator token opens what is for operators, and a service token does not", async () => {
	const app = new Hono<AppEnv>().use(requestId(), openScope).onError(onError);
	app.get("/", requireOperator, (c) => c.text("in"));
	const context = { waitUntil() {}, passThroughOnException() {} } as unknown as ExecutionContext;
	const ask = (token: string) =>
		app.request("/", { headers: { authorization: `Bearer ${token}` } }, { ...env, SIGN_IN_LIMIT: undefined }, context);
	for (const token of OPERATOR_TOKENS) expect((await ask(token)).status).toBe(200);
	for (const token of TOKENS) {
		const denied = await ask(token);
		expect(denied.status).toBe(401);
		expect(await denied.json()).toMatchObject({ code: "INVALID_TOKEN", message: "Invalid or missing operator token" });
	}
});
