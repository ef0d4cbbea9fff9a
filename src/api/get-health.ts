import { createRoute, type RouteHandler, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { version } from "../../package.json";
import { withDeadline } from "../deadline.ts";
import { type Env, readConfig } from "../env.ts";
import type { AppEnv } from "../http/app-env.ts";
import { errors, json } from "../http/openapi.ts";
import { logError } from "../log.ts";

const Check = z.enum(["ok", "failing"]);

const Health = z
	.strictObject({
		status: Check.openapi({ description: "ok if every check is ok" }),
		version: z.string().openapi({ description: "Of edge-runs", example: "0.2.0" }),
		deployment: z.string().nullable().openapi({ description: "The id of the Workers version; null without one" }),
		checks: z.strictObject({
			configuration: Check.openapi({ description: "Vars and secrets; the log says what is wrong" }),
			d1: Check,
			kv: Check,
		}),
		rateLimits: z
			.strictObject({ reads: z.boolean(), writes: z.boolean(), signIns: z.boolean() })
			.openapi({ description: "Whether each limiter is bound; without one there is no limit" }),
	})
	.openapi("Health");

export const getHealthRoute = createRoute({
	method: "get",
	path: "/api/health",
	operationId: "getHealth",
	summary: "Whether the Worker, D1 and KV answer",
	tags: ["Operation"],
	responses: {
		200: json(Health, "All is well"),
		503: json(Health, "A check is failing"),
		...errors("INTERNAL_ERROR"),
	},
});

/** Any key will do: that KV answers is the point. */
const PROBE_KEY = "edge-runs-health";

export const handleGetHealth: RouteHandler<typeof getHealthRoute, AppEnv> = async (c) => {
	const [configuration, d1, kv] = await Promise.all([
		check(c, "configuration", async () => readConfig(c.env)),
		check(c, "d1", () => pingD1(c.env)),
		check(c, "kv", () => c.env.SESSIONS.get(PROBE_KEY)),
	]);
	const checks = { configuration, d1, kv };
	const status = Object.values(checks).every((each) => each === "ok") ? "ok" : "failing";
	const { READ_LIMIT, WRITE_LIMIT, SIGN_IN_LIMIT } = c.env;
	const rateLimits = { reads: !!READ_LIMIT, writes: !!WRITE_LIMIT, signIns: !!SIGN_IN_LIMIT };
	const body = { status, version, deployment: c.env.CF_VERSION_METADATA?.id || null, checks, rateLimits } as const;
	return c.json(body, status === "ok" ? 200 : 503, { "cache-control": "no-store" });
};

/** Asks for a table, so that a database without its migrations fails too. */
function pingD1(env: Env) {
	return env.DB.prepare("select 1 from chats limit 1").first();
}

type Probe = () => Promise<unknown>;

async function check(c: Context<AppEnv>, name: string, probe: Probe): Promise<z.infer<typeof Check>> {
	try {
		await withDeadline(probe(), timeoutSeconds(c.env));
		return "ok";
	} catch (error) {
		logError({ requestId: c.var.requestId, event: "health", check: name }, error);
		return "failing";
	}
}

/** The default's, where the configuration is what fails. */
function timeoutSeconds(env: Env): number {
	try {
		return readConfig(env).storeTimeoutSeconds;
	} catch {
		return 5;
	}
}
