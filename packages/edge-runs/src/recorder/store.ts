import type { CleanReport } from "./clean-report.ts";
import type { Tell } from "./errors.ts";
import { type Part, takeBatches } from "./pack.ts";
import { WaitingRun } from "./waiting.ts";

/** A chat of which something is not sent yet. */
export interface Chat {
	readonly id: string;
	/** The owner, where one was told. */
	userId: string | undefined;
	/** By the run's id. What is being sent is not among them. */
	readonly waiting: Map<string, WaitingRun>;
	/** What is being sent. Empty: nothing is. */
	sending: readonly WaitingRun[];
	/** How often it failed in a row. */
	failures: number;
}

interface Watch {
	readonly left: Set<WaitingRun>;
	readonly done: () => void;
}

/** All that is not sent yet. It has a limit, and forgets what is done. No I/O, no timers. */
export class Store {
	readonly #chats = new Map<string, Chat>();
	/** Runs that have ended, in the order of their ends, as far as it is known here. */
	readonly #ended = new Set<WaitingRun>();
	readonly #watches = new Set<Watch>();
	#weight = 0;
	readonly #maxWeight: number;
	readonly #tell: Tell;

	constructor(maxWeight: number, tell: Tell) {
		this.#maxWeight = maxWeight;
		this.#tell = tell;
	}

	get isEmpty(): boolean {
		return this.#chats.size === 0;
	}

	/** Merges a report with what waits. */
	add(chatId: string, userId: string | undefined, report: CleanReport): Chat {
		let chat = this.#chats.get(chatId);
		if (!chat) {
			chat = { id: chatId, userId, waiting: new Map(), sending: [], failures: 0 };
			this.#chats.set(chatId, chat);
		}
		if (userId !== undefined) chat.userId = userId;
		const run = chat.waiting.get(report.head.id);
		if (!run) this.#keep(chat, new WaitingRun(report));
		else if (run.workflowId === report.head.workflowId) this.#change(run, () => run.add(report));
		else {
			const what = `run ${run.id} is refused: it was reported with another workflow before`;
			this.#tell("refused", what, { code: "RUN_CONFLICT", chatId, runIds: [run.id] });
		}
		this.#dropBeyondLimit();
		return chat;
	}

	#keep(chat: Chat, run: WaitingRun): void {
		chat.waiting.set(run.id, run);
		this.#weight += run.weight;
		if (run.hasEnded) this.#ended.add(run);
	}

	#change(run: WaitingRun, change: () => void): void {
		const before = run.weight;
		change();
		this.#weight += run.weight - before;
		if (!run.hasEnded) this.#ended.delete(run);
		else this.#ended.add(run);
	}

	/** What the chat's next requests are to hold. It must have something waiting. */
	take(chat: Chat): Part[][] {
		return takeBatches(chat.waiting);
	}

	/** A part is sent or dropped, and with the last of a run's parts what is known of the run. */
	partDone({ of }: Part): void {
		of.partsLeft -= 1;
		if (of.partsLeft === 0) this.#forget(of);
	}

	/** What was taken is of no use any more. */
	drop(run: WaitingRun): void {
		run.partsLeft = 0;
		this.#forget(run);
	}

	/** What was taken and is not done waits again, merged with what came meanwhile. */
	putBack(chat: Chat, run: WaitingRun): void {
		run.partsLeft = 0;
		const newer = chat.waiting.get(run.id);
		if (newer) {
			this.#change(run, () => run.absorb(newer));
			this.#forget(newer);
		}
		chat.waiting.set(run.id, run);
		this.#dropBeyondLimit();
	}

	#forget(run: WaitingRun): void {
		const chat = this.#chats.get(run.chatId);
		if (chat?.waiting.get(run.id) === run) chat.waiting.delete(run.id);
		this.#ended.delete(run);
		this.#weight -= run.weight;
		for (const watch of this.#watches) {
			watch.left.delete(run);
			if (watch.left.size === 0) this.#end(watch);
		}
	}

	/** To be called when nothing of the chat is being sent. */
	forgetIfDone(chat: Chat): boolean {
		const isDone = chat.waiting.size === 0;
		if (isDone) this.#chats.delete(chat.id);
		return isDone;
	}

	/** What ended first goes first, then what has waited longest. What is being sent stays. */
	#dropBeyondLimit(): void {
		while (this.#weight > this.#maxWeight) {
			const run = this.#firstToDrop();
			if (!run) return;
			this.#forget(run);
			const what = `more than ${this.#maxWeight} bytes wait to be sent: run ${run.id} is dropped`;
			this.#tell("dropped", what, { chatId: run.chatId, runIds: [run.id] });
		}
	}

	#firstToDrop(): WaitingRun | undefined {
		for (const run of this.#ended) if (run.partsLeft === 0) return run;
		for (const { waiting } of this.#chats.values()) for (const run of waiting.values()) return run;
		return undefined;
	}

	/** Calls back when all that is not sent now is done. @returns how many runs are left, and an end to the wait */
	watch(done: () => void): { left: () => number; stop: () => void } {
		const unsent = [...this.#chats.values()].flatMap(({ waiting, sending }) => [...waiting.values(), ...sending]);
		const watch = { left: new Set(unsent.filter((run) => !this.#isDone(run))), done };
		this.#watches.add(watch);
		if (watch.left.size === 0) this.#end(watch);
		return { left: () => watch.left.size, stop: () => void this.#watches.delete(watch) };
	}

	/** Of what a chat is sending, some may be done already. */
	#isDone(run: WaitingRun): boolean {
		return run.partsLeft === 0 && this.#chats.get(run.chatId)?.waiting.get(run.id) !== run;
	}

	#end(watch: Watch): void {
		this.#watches.delete(watch);
		watch.done();
	}
}
