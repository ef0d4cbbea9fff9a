/*
 * The part of zod that this service uses, with which the Worker is bundled in place of the whole (`[alias]` in
 * wrangler.toml). @hono/zod-openapi holds on to zod's namespace as a value, so that a bundler keeps all of it, 50
 * languages of error messages included: 60 KB gzipped, half of the Worker. Types come from zod itself.
 *
 * A member that is missing here fails when the Worker starts, since schemas are made in module scope.
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
