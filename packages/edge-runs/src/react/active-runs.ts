import { EdgeRunsError } from "../client/errors.ts";
import type { ActiveCounts } from "../client/service.ts";

/** How often the service is asked while somebody looks, in milliseconds. */
const PERIOD_MILLISECONDS = 15_000;

/** How many of the user's runs have not ended, over all chats. */
export interface ActiveRuns {
	/** All of them; undefined until the first answer. */
	readonly count: number | undefined;
	readonly pending: number | undefined;
	readonly running: number | undefined;
	/** Why the last question was not answered; null if it was. The counts are then those of the answer before. */
	readonly error: unknown;
}

export const NOT_COUNTED: ActiveRuns = { count: undefined, pending: undefined, running: undefined, error: null };

/** Asks for the counts while a component listens and somebody looks at the page: once for all components. */
export class ActiveRunsPoll {
	#latest = NOT_COUNTED;
	readonly #ask: () => Promise<ActiveCounts>;
	readonly #listeners = new Set<() => void>();
	#timer: ReturnType<typeof setTimeout> | undefined;
	#isAsking = false;
	#asksAt = 0;

	constructor(ask: () => Promise<ActiveCounts>) {
		this.#ask = ask;
	}

	readonly read = (): ActiveRuns => this.#latest;

	readonly subscribe = (listener: () => void): (() => void) => {
		this.#listeners.add(listener);
		if (this.#listeners.size === 1) {
			document.addEventListener("visibilitychange", this.#goOn);
			this.#goOn();
		}
		return () => {
			this.#listeners.delete(listener);
			if (this.#listeners.size > 0) return;
			document.removeEventListener("visibilitychange", this.#goOn);
			clearTimeout(this.#timer);
		};
	};

	/** Asks at once: after a sign-in, say. */
	readonly retry = (): void => {
		this.#asksAt = 0;
		this.#goOn();
	};

	readonly #goOn = (): void => {
		clearTimeout(this.#timer);
		if (this.#listeners.size === 0 || document.hidden || this.#isAsking) return;
		const wait = this.#asksAt - Date.now();
		// Infinity: refused for good. Until somebody says `retry`, the answer would be the same.
		if (wait > 0 && wait < Number.POSITIVE_INFINITY) this.#timer = setTimeout(this.#goOn, wait);
		else if (wait <= 0) void this.#askNow();
	};

	async #askNow(): Promise<void> {
		this.#isAsking = true;
		let wait = PERIOD_MILLISECONDS;
		try {
			const { pending, running } = await this.#ask();
			const latest = this.#latest;
			// The same object while nothing changes, so that nothing is rendered.
			if (latest.pending !== pending || latest.running !== running || latest.error !== null)
				this.#tell({ count: pending + running, pending, running, error: null });
		} catch (error) {
			if (error instanceof EdgeRunsError) {
				if (error.status === 401 || error.status === 403) wait = Number.POSITIVE_INFINITY;
				else wait = Math.max(wait, (error.retryAfterSeconds ?? 0) * 1_000);
			}
			this.#tell({ ...this.#latest, error });
		}
		this.#isAsking = false;
		this.#asksAt = Date.now() + wait;
		this.#goOn();
	}

	#tell(latest: ActiveRuns): void {
		this.#latest = latest;
		for (const listener of this.#listeners) listener();
	}
}
