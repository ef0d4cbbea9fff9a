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
	 * @returns whether it was known to be
	 */
	async ensure({ id, userId }: Chat): Promise<boolean> {
		if (userId === undefined) return false;
		const isKnown = this.#owners.get(id) === userId;
		if (!isKnown) await this.#transport.registerChat(id, userId);
		this.#owners.delete(id);
		this.#owners.set(id, userId);
		if (this.#owners.size > MAX_REMEMBERED) this.#owners.delete(this.#owners.keys().next().value as string);
		return isKnown;
	}

	/** The service no longer knows the chat. */
	forget({ id }: Chat): void {
		this.#owners.delete(id);
	}
}
