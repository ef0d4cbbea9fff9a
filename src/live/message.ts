import type { ChangeMessage } from "../db/hub.ts";

/** A message with more than this tells no runs: hundreds of streams may get it. They read D1 as they can take it. */
const MAX_MESSAGE = 256_000;

/** A stream asks its hub for a sign of life. The runtime answers for the hub, which need not wake up. */
export const PING = "ping";
export const PONG = "pong";

/** A hub's message to a watcher, as text. */
export function encodeMessage(message: ChangeMessage): string {
	const size = message.runs?.reduce((sum, run) => sum + run.length, 0) ?? 0;
	return JSON.stringify(size > MAX_MESSAGE ? { ...message, runs: null } : message);
}

/** What `encodeMessage` made. */
export function decodeMessage(text: string): ChangeMessage {
	return JSON.parse(text);
}
