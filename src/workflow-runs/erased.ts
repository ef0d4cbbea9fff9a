import { withDeadline } from "../deadline.ts";
import { sha256Hex } from "../digest.ts";
import { readConfig } from "../env.ts";
import { ServiceError } from "../errors.ts";
import { logError } from "../log.ts";
import type { Scope } from "../scope.ts";
import { keepSeconds } from "./decide.ts";

/*
 * Marks of what was erased, in KV. Copies of a history lie in the cache of each data centre, where nobody can delete them
 * all. D1 says that the chat is gone, so a copy is not served. But while D1 fails, an owner gets the last known copy: a mark
 * keeps erased data from that. So only who would serve a copy without D1 reads the marks.
 */

/** A mark outlives the copies by this, in seconds: KV takes a minute to be seen everywhere, and a replica may lag behind. */
const MARGIN_SECONDS = 600;

type Whose = { readonly userId: string } | { readonly chatId: string };

async function keyOf(whose: Whose): Promise<string> {
	if ("chatId" in whose) return `erased-chat-${whose.chatId}`;
	// A user's id may be longer than a key, and is not to be kept.
	return `erased-user-${await sha256Hex(new TextEncoder().encode(whose.userId), 64)}`;
}

/**
 * Marks a user or a chat as erased, for as long as there may be copies.
 * @throws {ServiceError} STORE_UNAVAILABLE
 */
export async function markErased(scope: Scope, whose: Whose): Promise<void> {
	const { SESSIONS } = scope.env;
	const config = readConfig(scope.env);
	const key = await keyOf(whose);
	const put = async () => {
		const expirationTtl = keepSeconds(config) + MARGIN_SECONDS;
		try {
			await SESSIONS.put(key, new Date().toISOString(), { expirationTtl });
		} catch (error) {
			// KV takes a key once a second. A request that goes on with an erasure finds the mark of the one before.
			if ((await SESSIONS.get(key)) === null) throw error;
		}
	};
	try {
		await withDeadline(put(), config.storeTimeoutSeconds, scope);
	} catch (cause) {
		throw new ServiceError("STORE_UNAVAILABLE", undefined, { cause });
	}
}

/** Whether a copy of the user's chat may show what was erased. Also if KV does not say. */
export async function mayBeErased(scope: Scope, userId: string, chatId: string): Promise<boolean> {
	const { env } = scope;
	try {
		const marks = [{ userId }, { chatId }].map(async (whose) => env.SESSIONS.get(await keyOf(whose)));
		const found = await withDeadline(Promise.all(marks), readConfig(env).storeTimeoutSeconds, scope);
		return found.some((mark) => mark !== null);
	} catch (error) {
		logError(scope, { event: "erasure", doing: "look" }, error);
		return true;
	}
}
