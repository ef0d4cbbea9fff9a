import type { WorkflowRun } from "../protocol/types.ts";
import { isOffline, watchAttention } from "./attention.ts";
import { EdgeRunsError } from "./errors.ts";
import type { FollowOptions, WorkflowRunsFollower } from "./follower.ts";
import { type Connect, Line, type Lost } from "./line.ts";
import { RunStore } from "./runs.ts";
import { type End, type LineState, type Loss, refusedBy } from "./state.ts";
import { TIMES, type Times, waitBefore } from "./times.ts";
import { Wait } from "./wait.ts";

/** A foreign answer may be a hotel's sign-in page, which goes away. After this number in a row it is final. */
const MAX_UNEXPECTED = 3;

const HIDDEN: Loss = { reason: "hidden", message: "Nobody looks at the page", error: null };

interface Internals extends Partial<Times> {
	/** Whether `connect` asks for a new token each time: a stream that ends with its token is opened again then. */
	readonly isTokenRenewed?: boolean;
}

/**
 * Follows a stream of runs: opens it, opens it again from where it was when it is lost, and notices when it is dead.
 * It never throws: `state` tells its errors.
 */
export function follow(connect: Connect, options: FollowOptions = {}, internals: Internals = {}): WorkflowRunsFollower {
	return new Follower(connect, options, internals);
}

class Follower implements WorkflowRunsFollower {
	state: LineState = { status: "connecting" };
	readonly #connect: Connect;
	readonly #options: FollowOptions;
	readonly #internals: Times & Internals;
	readonly #store = new RunStore();
	readonly #listeners = new Set<() => void>();
	readonly #stop = new AbortController();
	#lastEventId: string | undefined;
	#line: Line | null = null;
	#wait: Wait | null = null;
	/** Whether nobody looks at the page. */
	#isAway = false;

	constructor(connect: Connect, options: FollowOptions, internals: Internals) {
		this.#connect = connect;
		this.#options = options;
		this.#internals = { ...TIMES, ...internals };
		this.#setState(this.state);
		options.signal?.addEventListener("abort", () => this.close(), { signal: this.#stop.signal });
		if (options.signal?.aborted) this.close();
		else this.#start();
	}

	#start(): void {
		watchAttention(
			{
				onAway: () => this.#leave(),
				onBack: () => this.#comeBack(),
				onOffline: () => this.#line?.hangUp("offline", "The device is offline"),
			},
			this.#stop.signal,
		);
		void this.#keep();
	}

	get runs(): readonly WorkflowRun[] {
		return this.#store.ordered;
	}

	get isLoaded(): boolean {
		return this.#store.isLoaded;
	}

	get(runId: string): WorkflowRun | undefined {
		return this.#store.get(runId);
	}

	readonly subscribe = (listener: () => void): (() => void) => {
		this.#listeners.add(listener);
		return () => this.#listeners.delete(listener);
	};

	readonly close = (): void => this.#finish({ reason: "stopped", message: "It was closed", error: null });

	#finish(end: End): void {
		if (this.#stop.signal.aborted) return;
		this.#stop.abort();
		this.#line?.hangUp("closed", end.message);
		this.#wait?.end();
		this.#setState({ status: "ended", ...end });
	}

	#leave(): void {
		this.#isAway = true;
		this.#line?.hangUp(HIDDEN.reason, HIDDEN.message);
		if (!this.#wait) return;
		this.#wait.hold();
		this.#setState({ status: "reconnecting", ...HIDDEN, nextTryAt: null });
	}

	#comeBack(): void {
		this.#isAway = false;
		this.#line?.check();
		this.#wait?.hurry();
	}

	/** Opens lines, one after the other, until it is finished. */
	async #keep(): Promise<void> {
		/** How many lines in a row were not opened, were lost soon, and were not edge-runs'. */
		let [failures, brief, unexpected] = [0, 0, 0];
		while (!this.#stop.signal.aborted) {
			const line = this.#openLine();
			const lost = await line.run();
			this.#line = null;
			this.#store.discard();
			if (this.#stop.signal.aborted) return;
			const { liveAt } = line;
			failures = liveAt === null ? failures + 1 : 0;
			if (liveAt !== null) brief = Date.now() - liveAt < this.#internals.steady ? brief + 1 : 0;
			const loss = this.#toLoss(lost, liveAt !== null);
			if ("end" in loss) return this.#finish(loss.end);
			if (loss.reason === "unexpected") unexpected += 1;
			else if (liveAt !== null) unexpected = 0;
			if (unexpected >= MAX_UNEXPECTED) return this.#finish(refusedBy(loss.error as EdgeRunsError));
			await this.#waitAfter(loss, Math.max(failures, brief, 1));
		}
	}

	#openLine(): Line {
		this.#line = new Line({
			connect: this.#connect,
			lastEventId: this.#lastEventId,
			silence: this.#internals.silence,
			onLive: () => this.#showLive(),
			onEvent: ({ event, data, id }) => {
				// Later versions may send other events.
				if (event !== "snapshot" && event !== "run") return;
				this.#store.stage(event, data);
				if (id === undefined) return;
				this.#lastEventId = id;
				const change = this.#store.commit();
				if (change) this.#tell(() => this.#options.onChange?.(change));
				this.#showLive();
			},
		});
		return this.#line;
	}

	#showLive(): void {
		// A line that is open but has not told the first runs yet is still being waited for.
		if (this.isLoaded && this.state.status !== "live") this.#setState({ status: "live" });
	}

	/** A stream that ends with its token goes on with the next one; that a new line is refused is final. */
	#toLoss(lost: Lost, wasLive: boolean): Lost {
		if (!("end" in lost) || lost.end.reason !== "session_ended") return lost;
		if (!this.#internals.isTokenRenewed || !wasLive) return lost;
		return { reason: "closed", message: "The token has ended", error: null };
	}

	async #waitAfter(loss: Loss, failures: number): Promise<void> {
		const retryAfter = loss.error instanceof EdgeRunsError ? loss.error.retryAfterSeconds : null;
		const { atLeast, milliseconds } = waitBefore(failures, retryAfter, this.#internals);
		const reason = loss.reason === "no_answer" && isOffline() ? "offline" : loss.reason;
		const state = { status: "reconnecting", ...loss, reason } as const;
		this.#wait = new Wait(milliseconds, atLeast);
		if (this.#isAway) this.#leave();
		else this.#setState({ ...state, nextTryAt: Date.now() + milliseconds });
		await this.#wait.over;
		this.#wait = null;
		if (!this.#stop.signal.aborted) this.#setState({ ...state, nextTryAt: null });
	}

	#setState(state: LineState): void {
		this.state = state;
		this.#tell(() => this.#options.onState?.(state));
	}

	/** An error of a listener is the listener's fault. It must not look like a lost line. */
	#tell(first: () => void): void {
		for (const listener of [first, ...this.#listeners]) {
			try {
				listener();
			} catch (error) {
				queueMicrotask(() => {
					throw error;
				});
			}
		}
	}
}
