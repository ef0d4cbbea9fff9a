import { MAX_BODY_BYTES, MAX_RUNS } from "#protocol/limits.ts";
import type { ChatEntry, Entry } from "./parse.ts";

const HEAD = '{"workflowRuns":[';
const TAIL = "]}";
/** The bytes of a request's body around the runs. */
export const FRAME_BYTES = HEAD.length + TAIL.length;

/** Runs wait until their chat's request is full, but no more than this number: memory must not grow with the file. */
const MAX_HELD_RUNS = 20_000;
const MAX_HELD_BYTES = 16_000_000;

/** The runs of one request: of one chat, and by the lines of one owner. */
export type Batch = [Entry, ...Entry[]];

export function bodyOf(batch: readonly Entry[]): string {
	return HEAD + batch.map(({ json }) => json).join() + TAIL;
}

interface Held {
	readonly entries: Entry[];
	/** The size of their body, in bytes. */
	bytes: number;
}

const keyOf = ({ chatId, userId }: Entry | ChatEntry) => `${chatId} ${userId}`;

/** Gathers entries into batches, in whatever order the chats come. */
export class Batches {
	readonly #held = new Map<string, Held>();
	#runs = 0;
	#bytes = 0;

	/** Takes an entry. @returns the batches that are now to be sent */
	*add(entry: Entry): Generator<Batch> {
		const key = keyOf(entry);
		const bytes = entry.bytes + 1;
		const before = this.#held.get(key);
		if (before && before.bytes + bytes > MAX_BODY_BYTES) yield this.#take(key, before);
		const held = this.#held.get(key) ?? { entries: [], bytes: FRAME_BYTES };
		this.#held.set(key, held);
		held.entries.push(entry);
		held.bytes += bytes;
		this.#runs += 1;
		this.#bytes += bytes;
		if (held.entries.length === MAX_RUNS) yield this.#take(key, held);
		while (this.#runs > MAX_HELD_RUNS || this.#bytes > MAX_HELD_BYTES) yield this.#takeOldest();
	}

	/** The batch that waits for more runs of a chat, if one does. */
	*ofChat(chat: ChatEntry): Generator<Batch> {
		const held = this.#held.get(keyOf(chat));
		if (held) yield this.#take(keyOf(chat), held);
	}

	/** The batches that are left. */
	*rest(): Generator<Batch> {
		while (this.#held.size > 0) yield this.#takeOldest();
	}

	/** A Map gives its entries in the order in which they came. */
	#takeOldest(): Batch {
		const [[key, held]] = this.#held as unknown as [[string, Held]];
		return this.#take(key, held);
	}

	#take(key: string, { entries, bytes }: Held): Batch {
		this.#held.delete(key);
		this.#runs -= entries.length;
		this.#bytes -= bytes - FRAME_BYTES;
		return entries as Batch;
	}
}
