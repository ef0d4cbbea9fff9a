import { withDeadline } from "../deadline.ts";
import { type Env, readConfig } from "../env.ts";
import { logError } from "../log.ts";
import type { Scope } from "../scope.ts";
import type { Change } from "./change.ts";

/*
 * How doors reach a chat's hub (src/live/hub.ts): the chat's one writer, and what tells its watchers. It makes writes
 * cheap and watchers quick, but nothing depends on it: D1 is the only truth, and its guard keeps every writer correct.
 */

/** What a chat's watchers are told after a write. */
export interface ChangeMessage extends Change {
	/** The D1 bookmark from which a reader sees the change. */
	readonly bookmark: string | null;
	/** The changed runs, each as served JSON text; null where they are too large to be told, or runs have gone. */
	readonly runs: readonly string[] | null;
	/** When the first report of the change came in, in milliseconds since the epoch. */
	readonly reportedAt?: number;
	/** How many are told, as the hub says. */
	readonly watchers?: number;
}

/** What a hub does for a door, whatever the verb. */
export interface Hub {
	/** Tells the chat's watchers of a write that a door has made by itself. */
	tell(message: ChangeMessage): Promise<void>;
	/** How many watchers there are. */
	countWatchers(): Promise<number>;
}

/** A hub gives a D1 that hangs up after `STORE_TIMEOUT_SECONDS`, and says so. One that is silent for longer hangs itself. */
const GRACE_SECONDS = 1;

/** A hub that failed or hung is left alone for this long, so that not every report waits for it again. */
const REST_SECONDS = 5;

/** Until when a chat's hub is left alone, in milliseconds since the epoch. */
const resting = new Map<string, number>();
const MAX_RESTING = 1_000;

/** The stub of a chat's hub; null where none is bound. */
export function hubStub({ HUB }: Env, chatId: string): DurableObjectStub | null {
	return HUB ? HUB.get(HUB.idFromName(chatId)) : null;
}

/**
 * Asks a chat's hub.
 * @returns undefined where there is no hub, or it fails, hangs or is overloaded: then the door does it by itself. What
 *   was asked may still come to pass.
 */
export async function askHub<T>(
	scope: Scope,
	chatId: string,
	ask: (hub: DurableObjectStub) => PromiseLike<T>,
): Promise<T | undefined> {
	const { env } = scope;
	const hub = hubStub(env, chatId);
	if (!hub || (resting.get(chatId) ?? 0) > Date.now()) return undefined;
	try {
		return await withDeadline(ask(hub), readConfig(env).storeTimeoutSeconds + GRACE_SECONDS);
	} catch (error) {
		logError(scope, { event: "hub", doing: "ask" }, error);
		if (resting.size >= MAX_RESTING) resting.clear();
		resting.set(chatId, Date.now() + REST_SECONDS * 1000);
		return undefined;
	}
}

/** Tells a chat's watchers of a write, behind the answer. Where it fails, they notice by themselves within a minute. */
export function tellWatchers(scope: Scope, chatId: string, message: ChangeMessage): void {
	scope.waitUntil(askHub(scope, chatId, (hub) => (hub as unknown as Hub).tell(message)));
}
