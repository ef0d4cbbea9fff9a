import { z } from "@hono/zod-openapi";
import { DatabaseLook, SettingsLook } from "../admin/schemas.ts";

const Check = z.enum(["ok", "failing"]);

export const Health = z
	.strictObject({
		status: z.enum(["ok", "degraded", "failing"]).openapi({
			description:
				"failing if the configuration, D1, its migrations or KV are. degraded if only the cache or the hubs are: everything is answered, but more slowly",
		}),
		version: z.string().openapi({ description: "Of edge-runs", example: "0.2.0" }),
		deployment: z.string().nullable().openapi({ description: "The Workers version's id, where there is one" }),
		checkedAt: z.iso.datetime().openapi({ description: "When this was found: a few seconds ago at most" }),
		checks: z.strictObject({
			configuration: Check.openapi({ description: "Vars and secrets; the log says what is wrong" }),
			d1: Check,
			migrations: Check.openapi({ description: "Whether the database has all migrations of this version" }),
			kv: Check,
			cache: Check.openapi({
				description:
					"Whether the Cache API keeps anything in this data centre. Failing costs speed and D1 reads, no more",
			}),
			hub: z.enum(["ok", "failing", "off"]).openapi({
				description:
					"Whether a hub answers (off: none is bound). Failing or off, reports are written one by one, and streams see a change within a minute",
			}),
		}),
	})
	.openapi("Health");

export const ServiceLook = z
	.strictObject({
		data: z.strictObject({
			health: Health,
			database: DatabaseLook.nullable().openapi({ description: "Null if D1 does not answer" }),
			settings: SettingsLook,
		}),
	})
	.openapi("AdminService");
export type ServiceLook = z.infer<typeof ServiceLook>;
