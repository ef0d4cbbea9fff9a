import type { Context, MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { MAX_BODY_BYTES } from "#protocol/limits.ts";
import { ServiceError } from "../errors.ts";
import type { AppEnv } from "./app-env.ts";

const limit = bodyLimit({
	maxSize: MAX_BODY_BYTES,
	onError: () => {
		throw new ServiceError("BODY_TOO_LARGE");
	},
});

/** The body ended too early: its sender has gone, or has framed it wrongly. So this is a 400, not a 500. */
const brokeOff = (cause: unknown) => new ServiceError("INVALID_BODY", "The body broke off", { cause });

/** Lets a request pass if its body is not too large. */
export const limitBody: MiddlewareHandler<AppEnv> = async function limitBody(c, next) {
	try {
		return await limit(c, next);
	} catch (error) {
		// Without a Content-Length, `limit` reads the body itself, and may fail. Errors behind `next` do not come here: Hono
		// answers them there.
		throw error instanceof ServiceError ? error : brokeOff(error);
	}
};

const JSON_MEDIA_TYPE = /^application\/([\w.-]+\+)?json\s*(;|$)/i;

/**
 * The body's text, if its media type fits and it is UTF-8 without a content encoding.
 * @param refusal what a body of another media type is told; left out: that it must be JSON
 * @throws {ServiceError} UNSUPPORTED_MEDIA_TYPE, or INVALID_BODY if it broke off or is not UTF-8
 */
export async function readUtf8(c: Context<AppEnv>, mediaType: RegExp, refusal?: string): Promise<string> {
	const encoding = c.req.header("content-encoding") ?? "identity";
	if (!mediaType.test(c.req.header("content-type") ?? "") || encoding.toLowerCase() !== "identity") {
		throw new ServiceError("UNSUPPORTED_MEDIA_TYPE", refusal);
	}
	const bytes = await c.req.arrayBuffer().catch((error) => {
		throw brokeOff(error);
	});
	try {
		// Other decoders replace bytes that are not UTF-8. The stored text would then differ from the sent one.
		return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
	} catch (error) {
		throw new ServiceError("INVALID_BODY", `The body is not UTF-8: ${(error as Error).message}`);
	}
}

/** Lets a request pass if its body is JSON in UTF-8 (RFC 8259, 8.1). */
const requireUtf8Json: MiddlewareHandler<AppEnv> = async function requireUtf8Json(c, next) {
	const text = await readUtf8(c, JSON_MEDIA_TYPE);
	try {
		JSON.parse(text);
	} catch (error) {
		throw new ServiceError("INVALID_BODY", `The body is not JSON in UTF-8: ${(error as Error).message}`);
	}
	// @hono/zod-openapi checks the type again, and takes fewer spellings: no space before a parameter (RFC 9110, 5.6.6),
	// no digit before "+json". Hono has the body already.
	const headers = new Headers(c.req.raw.headers);
	headers.set("content-type", "application/json");
	c.req.raw = new Request(c.req.url, { method: c.req.method, headers });
	await next();
};

/** For routes that take JSON. It stands behind the middleware that checks the caller. */
export const requireJsonBody = [limitBody, requireUtf8Json];
