import { createRoute, type RouteHandler } from "@hono/zod-openapi";
import { requireOperator } from "../access/require-operator.ts";
import { inspectDatabase } from "../admin/database.ts";
import { readSettings } from "../admin/settings.ts";
import type { AppEnv } from "../http/app-env.ts";
import { errors, json, OPERATOR_ERRORS, operatorSecurity } from "../http/openapi.ts";
import { readHealth } from "./get-health.ts";
import { ServiceLook } from "./health-schemas.ts";

export const inspectServiceRoute = createRoute({
	method: "get",
	path: "/api/admin/health",
	operationId: "inspectService",
	summary: "Look at the service",
	description:
		"What /api/health finds, the database's size and migrations, and what is set. 200 also where a check is failing: it is no " +
		"probe. Of secrets it only tells how many there are.",
	tags: ["Admin"],
	security: operatorSecurity,
	middleware: requireOperator,
	responses: { 200: json(ServiceLook, "How the service is"), ...errors(...OPERATOR_ERRORS) },
});

export const handleInspectService: RouteHandler<typeof inspectServiceRoute, AppEnv> = async (c) => {
	const { scope } = c.var;
	const [health, database] = await Promise.all([readHealth(scope), inspectDatabase(scope)]);
	const data = { health, database, settings: readSettings(scope.env) };
	return c.json({ data }, 200, { "cache-control": "no-store" });
};
