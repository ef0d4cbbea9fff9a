import { Alarm } from "./alarm.ts";
import type { CleanReport } from "./clean-report.ts";
import { deliver } from "./deliver.ts";
import { Refusal, type Tell } from "./errors.ts";
import { Outage } from "./outage.ts";
import type { Part } from "./pack.ts";
import { pauseAfter } from "./pauses.ts";
import { Registered } from "./registered.ts";
import { after } from "./runtime.ts";
import { type Chat, Store } from "./store.ts";
import type { Recorded, Transport } from "./transport.ts";

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
	readonly #outage: Outage;
	readonly #alarm = new Alarm(() => this.#pump());
	#requests = 0;

	constructor(options: SenderOptions) {
		this.#options = options;
		this.#store = new Store(options.maxWaitingBytes, options.tell);
		this.#registered = new Registered(options.transport);
		this.#outage = new Outage(options.tell);
	}

	get isEmpty(): boolean {
		return this.#store.isEmpty;
	}

	add(chatId: string, userId: string | undefined, report: CleanReport): void {
		const chat = this.#store.add(chatId, userId, report);
		if (chat.sending.length > 0 || this.#retries.has(chat)) return;
		this.#ready.add(chat);
		this.#alarm.setIn(this.#options.delayMilliseconds);
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

	#pump(): void {
		const pause = this.#outage.pauseAt(Date.now());
		if (pause > 0) {
			if (this.#ready.size > 0) this.#alarm.setIn(pause);
			return;
		}
		for (const chat of this.#ready) {
			if (this.#requests >= this.#outage.maxRequests) return;
			this.#ready.delete(chat);
			// All that waited of it may have been dropped.
			if (chat.waiting.size > 0) void this.#send(chat);
			else this.#finish(chat);
		}
	}

	async #send(chat: Chat): Promise<void> {
		const { transport, tell, onRecorded } = this.#options;
		this.#requests += 1;
		const batches = this.#store.take(chat);
		const runs = [...new Set(batches.flat().map(({ of }) => of))];
		chat.sending = runs;
		const delivery = {
			transport,
			chatId: chat.id,
			tell,
			onDone: (part: Part) => this.#store.partDone(part),
			onRecorded: (recorded: Recorded) => onRecorded(chat.id, recorded),
		};
		let wasRegistered = false;
		try {
			wasRegistered = await this.#registered.ensure(chat);
			for (const parts of batches) await deliver(parts, delivery);
			this.#succeeded(chat);
		} catch (error) {
			if (error instanceof Refusal && !error.mayPass) {
				this.#succeeded(chat);
				// The service's database was put back to before the chat was registered. What is left is sent again.
				if (error.code === "CHAT_NOT_FOUND" && wasRegistered) this.#registered.forget(chat);
				else this.#refuse(chat, error);
			} else this.#failed(chat, error);
		}
		this.#requests -= 1;
		chat.sending = [];
		for (const run of runs) if (run.partsLeft > 0) this.#store.putBack(chat, run);
		this.#finish(chat);
		this.#pump();
	}

	/** Nothing of the chat is being sent: it is done, or what came meanwhile is next, or waits. */
	#finish(chat: Chat): void {
		if (this.#store.forgetIfDone(chat)) this.#cancelRetry(chat);
		else if (!this.#retries.has(chat)) this.#ready.add(chat);
		if (this.#store.isEmpty) this.#options.onEmpty();
	}

	#succeeded(chat: Chat): void {
		chat.failures = 0;
		if (this.#outage.succeeded()) this.#hurry();
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
		const pause = pauseAfter(error, chat.failures, this.#options.retryMilliseconds, Math.random());
		this.#outage.failed(error, pause, Date.now());
		const cancel = after(pause.milliseconds, () => {
			this.#retries.delete(chat);
			this.#ready.add(chat);
			this.#pump();
		});
		this.#retries.set(chat, { cancel, isAsked: pause.isAsked });
	}

	/** Ends all waits that the service has not asked for. */
	#hurry(): void {
		this.#outage.hurry();
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
