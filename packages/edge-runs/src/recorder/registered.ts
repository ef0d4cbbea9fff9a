import type { Chat } from "./store.ts";
import type { Transport } from "./transport.ts";

/** As many chats are remembered: about a megabyte. One that is forgotten is registered again, which changes nothing. */
const MAX_REMEMBERED = 10_000;

/** Registers chats with their owners, each once. */
export class Registered {
	/** The owner by chat, the longest unused first. */
	readonly #owners = new Map<string, string>();
	readonly #transport: Transport;

	constructor(transport: Transport) {
		this.#transport = transport;
	}

	/**
	 * Registers the chat where its owner was told, and it is not known to be. A chat that was deleted stays so: the service
	 * refuses it.
	 */
	async ensure({ id, userId }: Chat): Promise<void> {
		if (userId === undefined) return;
		if (this.#owners.get(id) !== userId) await this.#transport.registerChat(id, userId);
		this.#owners.delete(id);
		this.#owners.set(id, userId);
		if (this.#owners.size > MAX_REMEMBERED) this.#owners.delete(this.#owners.keys().next().value as string);
	}
}
