import { z } from "@hono/zod-openapi";

/** Any RFC 9562 UUID, whatever its case; lower case from here on. */
export const Uuid = z
	.string()
	.toLowerCase()
	.pipe(z.uuid())
	.openapi({ type: "string", format: "uuid", description: "RFC 9562 UUID, case-insensitive, served in lower case" });
