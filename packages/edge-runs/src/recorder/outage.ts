import { Refusal, type Tell } from "./errors.ts";
import type { Pause } from "./pauses.ts";

/** Workers have six connections at once, for all that they do; a Node process has better uses for more. */
const MAX_REQUESTS = 4;
/** After this number of failures in a row, over all chats, the service is down. Then only one request at a time tries it. */
const FAILURES_OF_THE_SERVICE = 3;

/** Whether it is the service that fails, and not a chat; and what is told of that, once an outage. */
export class Outage {
	readonly #tell: Tell;
	readonly #told = new Set<string>();
	#failuresInRow = 0;
	#pause = { until: 0, isAsked: false };

	constructor(tell: Tell) {
		this.#tell = tell;
	}

	get #isOn(): boolean {
		return this.#failuresInRow >= FAILURES_OF_THE_SERVICE;
	}

	/** How many requests there may be at once. */
	get maxRequests(): number {
		return this.#isOn ? 1 : MAX_REQUESTS;
	}

	/** For how long nothing is to be sent, in milliseconds. */
	pauseAt(now: number): number {
		return Math.max(this.#pause.until - now, 0);
	}

	/** Ends the pause, unless the service has asked for it. */
	hurry(): void {
		if (!this.#pause.isAsked) this.#pause.until = 0;
	}

	/** The service answers, be it by a refusal. @returns whether it did not before */
	succeeded(): boolean {
		const wasOn = this.#isOn;
		this.#failuresInRow = 0;
		this.#told.clear();
		return wasOn;
	}

	failed(error: unknown, { milliseconds, isAsked, isForAll }: Pause, now: number): void {
		this.#failuresInRow += 1;
		if (this.#isOn || isForAll) this.#pause = { until: now + milliseconds, isAsked };
		if (error instanceof Refusal && error.code === "INVALID_TOKEN") {
			this.#tellOnce("unauthorized", "the service does not know the token; it is tried again each minute", error);
		} else if (this.#isOn) {
			const why = error instanceof Error ? error.message : String(error);
			this.#tellOnce("unreachable", `the service does not answer, what is reported waits: ${why}`, error);
		}
	}

	#tellOnce(kind: "unauthorized" | "unreachable", message: string, error: unknown): void {
		if (this.#told.has(kind)) return;
		this.#told.add(kind);
		const code = error instanceof Refusal ? (error.code ?? undefined) : undefined;
		this.#tell(kind, message, { code, cause: error });
	}
}
