import type { MiddlewareHandler } from "hono";
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

const limitBody: MiddlewareHandler<AppEnv> = async function limitBody(c, next) {
	try {
		return await limit(c, next);
	} catch (error) {
		// Without a Content-Length, `limit` reads the body itself, and may fail. Errors behind `next` do not come here: Hono
		// answers them there.
		throw error instanceof ServiceError ? error : brokeOff(error);
	}
};

const JSON_MEDIA_TYPE = /^application\/([\w.-]+\+)?json\s*(;|$)/i;

/** Lets a request pass if its body is JSON in UTF-8 (RFC 8259, 8.1). */
const requireUtf8Json: MiddlewareHandler<AppEnv> = async function requireUtf8Json(c, next) {
	const encoding = c.req.header("content-encoding") ?? "identity";
	if (!JSON_MEDIA_TYPE.test(c.req.header("content-type") ?? "") || encoding !== "identity") {
		throw new ServiceError("UNSUPPORTED_MEDIA_TYPE");
	}
	const bytes = await c.req.arrayBuffer().catch((error) => {
		throw brokeOff(error);
	});
	try {
		// Other decoders replace bytes that are not UTF-8. The stored text would then differ from the sent one.
		JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes));
	} catch (error) {
		throw new ServiceError("INVALID_BODY", `The body is not JSON in UTF-8: ${(error as Error).message}`);
	}
	await next();
};

/** For routes that take JSON. It stands behind the middleware that checks the caller. */
export const requireJsonBody = [limitBody, requireUtf8Json];
