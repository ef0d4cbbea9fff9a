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

export interface UseActiveRuns extends ActiveRuns {
	/** Asks at once: after a sign-in, say. */
	readonly retry: () => void;
}

export interface ActiveRunsPoll {
	/** What is known before the first answer, and on a server. */
	readonly first: UseActiveRuns;
	/** What is known now: the same object until that changes. */
	read(): UseActiveRuns;
	/** Keeps asking while anybody listens. */
	subscribe(listener: () => void): () => void;
}

/** Asks for the counts while a component listens and somebody looks at the page: once for all components. */
export function pollActiveRuns(ask: () => Promise<ActiveCounts>): ActiveRunsPoll {
	const listeners = new Set<() => void>();
	const first: UseActiveRuns = {
		count: undefined,
		pending: undefined,
		running: undefined,
		error: null,
		retry() {
			asksAt = 0;
			isHurried = isAsking;
			goOn();
		},
	};
	let latest = first;
	let timer: ReturnType<typeof setTimeout> | undefined;
	let isAsking = false;
	/** Whether somebody said `retry` while it was asking: the answer may be from before the sign-in. */
	let isHurried = false;
	let asksAt = 0;

	function goOn(): void {
		clearTimeout(timer);
		if (listeners.size === 0 || document.hidden || isAsking) return;
		const wait = asksAt - Date.now();
		// Infinity: refused for good. Until somebody says `retry`, the answer would be the same.
		if (wait > 0 && wait < Number.POSITIVE_INFINITY) timer = setTimeout(goOn, wait);
		else if (wait <= 0) void askNow();
	}

	async function askNow(): Promise<void> {
		isAsking = true;
		let wait = PERIOD_MILLISECONDS;
		try {
			const { pending, running } = await ask();
			// The same object while nothing changes, so that nothing is rendered.
			if (latest.pending !== pending || latest.running !== running || latest.error !== null)
				tell({ count: pending + running, pending, running, error: null });
		} catch (error) {
			if (error instanceof EdgeRunsError) {
				if (error.status === 401 || error.status === 403) wait = Number.POSITIVE_INFINITY;
				else wait = Math.max(wait, (error.retryAfterSeconds ?? 0) * 1_000);
			}
			tell({ error });
		}
		isAsking = false;
		asksAt = isHurried ? 0 : Date.now() + wait;
		isHurried = false;
		goOn();
	}

	function tell(news: Partial<ActiveRuns>): void {
		latest = { ...latest, ...news };
		for (const listener of listeners) listener();
	}

	return {
		first,
		read: () => latest,
		subscribe(listener) {
			listeners.add(listener);
			if (listeners.size === 1) {
				document.addEventListener("visibilitychange", goOn);
				goOn();
			}
			return () => {
				listeners.delete(listener);
				if (listeners.size > 0) return;
				document.removeEventListener("visibilitychange", goOn);
				clearTimeout(timer);
			};
		},
	};
}
