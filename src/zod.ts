/*
 * The part of zod that this service uses. The Worker is bundled with it instead of all of zod (`[alias]` in
 * wrangler.toml). @hono/zod-openapi uses zod's namespace as a value, so a bundler would keep all of it, with error
 * messages in 50 languages: 60 KB gzipped, half of the Worker. Types come from zod itself.
 *
 * If a member is missing here, the Worker fails when it starts, since schemas are made in module scope. Methods of schemas
 * need no such list: scripts/small/zod.ts looks for those that are used.
 */
export {
	array,
	boolean,
	enum,
	int,
	iso,
	literal,
	NEVER,
	number,
	object,
	preprocess,
	record,
	strictObject,
	string,
	unknown,
	uuid,
	ZodType,
} from "zod/v4";
export * as z from "./zod.ts";
