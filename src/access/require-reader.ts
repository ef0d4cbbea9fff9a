import type { MiddlewareHandler } from "hono";
import { sha256Hex } from "../digest.ts";
import { readConfig } from "../env.ts";
import { ServiceError } from "../errors.ts";
import type { AppEnv } from "../http/app-env.ts";
import { Uuid } from "../uuid.ts";
import { isBearer, readBearer } from "./bearer.ts";
import { pseudonym } from "./pseudonym.ts";
import { countAgainst, refuseSignIn } from "./rate-limit.ts";
import { verifyReadToken } from "./read-token.ts";
import { requireSession } from "./require-session.ts";
import { askForNoRevocations } from "./revocations.ts";

/**
 * Lets a request pass that carries a read token, or else a session cookie. Where both come, the token counts: it was
 * put there on purpose, while browsers send cookies by themselves. Without a `READ_TOKEN_SECRET` there are cookies only,
 * and the header is ignored.
 *
 * @throws {ServiceError} before any store is asked: INVALID_SESSION, RATE_LIMITED, or CHAT_FORBIDDEN if the token is for
 *   another chat, or for one chat where the route is about all
 */
export const requireReader: MiddlewareHandler<AppEnv> = async function requireReader(c, next) {
	const { readTokenSecrets, sessionSecrets } = readConfig(c.env);
	const authorization = c.req.header("authorization");
	if (readTokenSecrets.length === 0 || !isBearer(authorization)) return requireSession(c, next);
	const { scope } = c.var;
	const refusal = () => new ServiceError("INVALID_SESSION", "Invalid or expired read token");
	const token = await verifyReadToken(readBearer(authorization) ?? "", readTokenSecrets, Date.now());
	if (!token) return refuseSignIn(c, refusal(), authorization);
	const digest = await sha256Hex(new TextEncoder().encode(token.signed), 32);
	await countAgainst("READ_LIMIT", `read token ${digest}`, scope);
	const { userId, chatId, expiresAt } = token;
	scope.facts.user = await pseudonym(sessionSecrets[0], userId);
	if (chatId !== undefined) refuseOtherChats(chatId, c.req.param("chatId"));
	askForNoRevocations(scope);
	const session = { userId, endsAt: expiresAt };
	c.set("session", Promise.resolve(session));
	c.set("rereadSession", async () => {
		if (Date.now() >= expiresAt) throw refusal();
		return session;
	});
	await next();
};

/** A malformed id is left to the route, which answers it with a 400. */
function refuseOtherChats(own: string, asked: string | undefined): void {
	if (asked === undefined) throw new ServiceError("CHAT_FORBIDDEN", "The read token is for one chat only");
	const { data, success } = Uuid.safeParse(asked);
	if (success && data !== own) throw new ServiceError("CHAT_FORBIDDEN", "The read token is for another chat");
}
