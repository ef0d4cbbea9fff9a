import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { Env } from "../../../src/env.ts";
import type { ChatHub } from "../../../src/live/hub.ts";

/** The hub of a chat. */
export const hubOf = (chat: string) => env.HUB.get(env.HUB.idFromName(chat)) as unknown as DurableObjectStub<ChatHub>;

/** Gives a chat's hub other bindings, until it is evicted. */
export function bindHub(chat: string, changed: Partial<Env>): Promise<void> {
	return runInDurableObject(hubOf(chat), (hub) => {
		Object.assign(hub, { env: { ...env, ...changed } });
	});
}

/** The sockets of a chat's watchers, as its hub counts them. */
export const watchersOf = (chat: string) => runInDurableObject(hubOf(chat), (_, state) => state.getWebSockets().length);

/** A namespace whose hubs do as `hub` says. */
export function hubsThat(hub: Partial<Record<"record" | "tell" | "fetch", () => unknown>>): DurableObjectNamespace {
	return { idFromName: () => ({}), get: () => hub } as unknown as DurableObjectNamespace;
}
