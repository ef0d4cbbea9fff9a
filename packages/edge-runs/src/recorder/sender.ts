import type { CleanReport } from "./clean-report.ts";
import { deliver } from "./deliver.ts";
import { Refusal, type Tell } from "./errors.ts";
import { pauseAfter } from "./pauses.ts";
import { Registered } from "./registered.ts";
import { after } from "./runtime.ts";
import { type Chat, Store } from "./store.ts";
import type { Recorded, Transport } from "./transport.ts";

/** Workers have six connections at once, for all that they do; a Node process has better uses for more. */
const MAX_REQUESTS = 4;
/** After this number of failures in a row, over all chats, the service is down. Then only one request at a time tries it. */
const FAILURES_OF_THE_SERVICE = 3;
/** A timer so late is not coming: on Workers it ends with the request that set it. */
const LOST_MILLISECONDS = 5_000;

export interface SenderOptions {
	readonly transport: Transport;
	readonly tell: Tell;
	readonly onRecorded: (chatId: string, recorded: Recorded) => void;
	/** Called when the last of what waited is done. */
	readonly onEmpty: () => void;
	readonly delayMilliseconds: number;
	readonly retryMilliseconds: number;
	readonly maxWaitingBytes: number;
}

/** Sends what waits: one request at a time a chat, again until the service takes or refuses it. */
export class Sender {
	readonly #options: SenderOptions;
	readonly #store: Store;
	readonly #registered: Registered;
	/** Chats that can be sent now. */
	readonly #ready = new Set<Chat>();
	/** Chats that wait after a failure; each value ends the wait. */
	readonly #retries = new Map<Chat, { cancel: () => void; isAsked: boolean }>();
	#requests = 0;
	#failuresInRow = 0;
	#pause = { until: 0, isAsked: false };
	#wakeUp: { cancel: () => void; due: number } | undefined;
	#told = new Set<string>();

	constructor(options: SenderOptions) {
		this.#options = options;
		this.#store = new Store(options.maxWaitingBytes, options.tell);
		this.#registered = new Registered(options.transport);
	}

	get isEmpty(): boolean {
		return this.#store.isEmpty;
	}

	add(chatId: string, userId: string | undefined, report: CleanReport): void {
		const chat = this.#store.add(chatId, userId, report);
		if (chat.sending.length > 0 || this.#retries.has(chat)) return;
		this.#ready.add(chat);
		this.#wake(this.#options.delayMilliseconds);
	}

	/**
	 * Sends at once, and does not wait out a pause that the service has not asked for.
	 * @returns how many runs are not sent after the timeout
	 */
	flush(timeoutMilliseconds: number): Promise<number> {
		this.#hurry();
		this.#pump();
		return this.settled(timeoutMilliseconds);
	}

	/** Resolves when all that was reported before is sent. @returns how many runs are not after the timeout */
	settled(timeoutMilliseconds: number): Promise<number> {
		return new Promise((resolve) => {
			// Unlike others, this timer keeps a process alive: somebody waits for it.
			const timer = setTimeout(() => {
				watch.stop();
				resolve(watch.left());
			}, timeoutMilliseconds);
			const watch = this.#store.watch(() => {
				clearTimeout(timer);
				resolve(0);
			});
		});
	}

	/** Resolves when nothing waits any more, or after the timeout. */
	async emptied(timeoutMilliseconds: number): Promise<void> {
		const until = Date.now() + timeoutMilliseconds;
		while (!this.isEmpty && Date.now() < until) await this.settled(until - Date.now());
	}

	#wake(milliseconds: number): void {
		const now = Date.now();
		const { due = 0 } = this.#wakeUp ?? {};
		if (this.#wakeUp && due <= now + milliseconds && due > now - LOST_MILLISECONDS) return;
		this.#wakeUp?.cancel();
		const cancel = after(milliseconds, () => {
			this.#wakeUp = undefined;
			this.#pump();
		});
		this.#wakeUp = { cancel, due: now + milliseconds };
	}

	#pump(): void {
		const pause = this.#pause.until - Date.now();
		if (pause > 0) {
			if (this.#ready.size > 0) this.#wake(pause);
			return;
		}
		const most = this.#failuresInRow < FAILURES_OF_THE_SERVICE ? MAX_REQUESTS : 1;
		for (const chat of this.#ready) {
			if (this.#requests >= most) return;
			this.#ready.delete(chat);
			void this.#send(chat);
		}
	}

	async #send(chat: Chat): Promise<void> {
		const { transport, tell, onRecorded, onEmpty } = this.#options;
		this.#requests += 1;
		const batches = this.#store.take(chat);
		const runs = [...new Set(batches.flat().map(({ of }) => of))];
		chat.sending = runs;
		const delivery = {
			transport,
			chatId: chat.id,
			tell,
			onDone: (part: (typeof batches)[number][number]) => this.#store.partDone(part),
			onRecorded: (recorded: Recorded) => onRecorded(chat.id, recorded),
		};
		try {
			await this.#registered.ensure(chat);
			for (const parts of batches) await deliver(parts, delivery);
			this.#succeeded(chat);
		} catch (error) {
			if (error instanceof Refusal && !error.mayPass) {
				this.#succeeded(chat);
				this.#refuse(chat, error);
			} else this.#failed(chat, error);
		}
		this.#requests -= 1;
		chat.sending = [];
		for (const run of runs) if (run.partsLeft > 0) this.#store.putBack(chat, run);
		if (this.#store.forgetIfDone(chat)) this.#cancelRetry(chat);
		else if (!this.#retries.has(chat)) this.#ready.add(chat);
		if (this.#store.isEmpty) onEmpty();
		this.#pump();
	}

	/** The service answers, be it by a refusal. */
	#succeeded(chat: Chat): void {
		chat.failures = 0;
		if (this.#failuresInRow >= FAILURES_OF_THE_SERVICE) this.#hurry();
		this.#failuresInRow = 0;
		this.#told.clear();
	}

	#refuse(chat: Chat, error: Refusal): void {
		const runIds = chat.sending.filter(({ partsLeft }) => partsLeft > 0).map(({ id }) => id);
		for (const run of chat.sending) if (run.partsLeft > 0) this.#store.drop(run);
		const hint =
			error.code === "CHAT_NOT_FOUND" && chat.userId === undefined ? " (tell its userId to register it)" : "";
		const what = `chat ${chat.id} is refused: ${error.code}: ${error.message}${hint}`;
		this.#options.tell("refused", what, { code: error.code ?? undefined, chatId: chat.id, runIds, cause: error });
	}

	#failed(chat: Chat, error: unknown): void {
		chat.failures += 1;
		this.#failuresInRow += 1;
		const pause = pauseAfter(error, chat.failures, this.#options.retryMilliseconds, Math.random());
		const { milliseconds, isAsked } = pause;
		const isTheService = this.#failuresInRow >= FAILURES_OF_THE_SERVICE;
		if (isTheService || pause.isForAll) this.#pause = { until: Date.now() + milliseconds, isAsked };
		const cancel = after(milliseconds, () => {
			this.#retries.delete(chat);
			this.#ready.add(chat);
			this.#pump();
		});
		this.#retries.set(chat, { cancel, isAsked });

		const isToken = error instanceof Refusal && error.code === "INVALID_TOKEN";
		if (isToken)
			this.#tellOnce("unauthorized", "the service does not know the token; it is tried again each minute", error);
		else if (isTheService) {
			const why = error instanceof Error ? error.message : String(error);
			this.#tellOnce("unreachable", `the service does not answer, what is reported waits: ${why}`, error);
		}
	}

	/** Once until the service answers again. */
	#tellOnce(kind: "unauthorized" | "unreachable", message: string, error: unknown): void {
		if (this.#told.has(kind)) return;
		this.#told.add(kind);
		const code = error instanceof Refusal ? (error.code ?? undefined) : undefined;
		this.#options.tell(kind, message, { code, cause: error });
	}

	/** Ends all waits that the service has not asked for. */
	#hurry(): void {
		if (!this.#pause.isAsked) this.#pause.until = 0;
		for (const [chat, { isAsked }] of this.#retries) {
			if (isAsked) continue;
			this.#cancelRetry(chat);
			this.#ready.add(chat);
		}
	}

	#cancelRetry(chat: Chat): void {
		this.#retries.get(chat)?.cancel();
		this.#retries.delete(chat);
	}
}
