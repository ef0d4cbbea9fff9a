import { createRoute, type RouteHandler, type z } from "@hono/zod-openapi";
import { version } from "../../package.json";
import type { Env } from "../env.ts";
import type { AppEnv } from "../http/app-env.ts";
import { errors, json } from "../http/openapi.ts";
import type { Scope } from "../scope.ts";
import { type Findings, runChecks } from "./health-checks.ts";
import { Health } from "./health-schemas.ts";

export const getHealthRoute = createRoute({
	method: "get",
	path: "/api/health",
	operationId: "getHealth",
	summary: "Whether the service and what it needs are in order",
	description:
		"Found at most every 5 seconds in each of Cloudflare's isolates, however often it is asked for. Nobody needs to sign in.",
	tags: ["Operation"],
	security: [],
	responses: {
		200: json(Health, "All is answered"),
		503: json(Health, "A check is failing"),
		...errors("METHOD_NOT_ALLOWED", "INTERNAL_ERROR"),
	},
});

/** Everybody may ask. What was found is remembered, so that nobody makes D1 and KV work by asking often. */
const REMEMBERED_MILLISECONDS = 5_000;

/** A request that went away in the middle of its checks tells nobody. After this time another one finds out. */
const ASKING_MILLISECONDS = 30_000;

interface Remembered {
	readonly findings: Findings;
	/** In milliseconds since the epoch. */
	readonly at: number;
}

interface Memory {
	last?: Remembered;
	/** Since when a request is finding out, or 0. Others are given what was found before, if anything was. */
	askingSince: number;
}

/** By the isolate's bindings, which it keeps as long as it lives. */
const memories = new WeakMap<Env, Memory>();

async function findHealth(scope: Scope): Promise<Remembered> {
	const memory = memories.get(scope.env) ?? { askingSince: 0 };
	memories.set(scope.env, memory);
	const { last } = memory;
	const now = Date.now();
	const isAsking = now - memory.askingSince < ASKING_MILLISECONDS;
	if (last && (isAsking || now - last.at < REMEMBERED_MILLISECONDS)) return last;
	memory.askingSince = now;
	try {
		const findings = await runChecks(scope);
		memory.last = { findings, at: Date.now() };
		return memory.last;
	} finally {
		memory.askingSince = 0;
	}
}

/** Without cache and hub all answers come, only slower. */
function statusOf({ cache, hub, ...needed }: Findings) {
	if (Object.values(needed).includes("failing")) return "failing";
	return cache === "failing" || hub === "failing" ? "degraded" : "ok";
}

/** What is found now, or was some seconds ago. */
export async function readHealth(scope: Scope): Promise<z.infer<typeof Health>> {
	const { findings: checks, at } = await findHealth(scope);
	const deployment = scope.env.CF_VERSION_METADATA?.id || null;
	return { status: statusOf(checks), version, deployment, checkedAt: new Date(at).toISOString(), checks };
}

export const handleGetHealth: RouteHandler<typeof getHealthRoute, AppEnv> = async (c) => {
	const health = await readHealth(c.var.scope);
	return c.json(health, health.status === "failing" ? 503 : 200, { "cache-control": "no-store" });
};
