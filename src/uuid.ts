import { z } from "@hono/zod-openapi";

/** Any RFC 9562 UUID, in upper or lower case. Its output is in lower case. */
export const Uuid = z
	.string()
	.toLowerCase()
	.pipe(z.uuid())
	.openapi({ type: "string", format: "uuid", description: "RFC 9562 UUID, case-insensitive, served in lower case" });
