import { setTimeout as sleep } from "node:timers/promises";
import { createParser, type EventSourceMessage } from "eventsource-parser";
import type { WorkflowRun } from "../src/workflow-runs/schemas.ts";
import type { Chat } from "./chat.ts";
import { stageOf } from "./model.ts";
import type { SoakSetup } from "./setup.ts";

/** Streams tell a change at once. This is for a machine that others work on, and far below their safety net of a minute. */
const LATE_MILLISECONDS = 10_000;
/** How often it is asked whether the stream has told what was recorded. */
const LOOK_MILLISECONDS = 1_000;
/** How long a tab that drops its stream keeps one, at most. */
const DROP_MILLISECONDS = 6_000;

/** A tab that follows a chat, and the history that it knows from the events alone. */
export class Follower {
	readonly chat: Chat;
	readonly #setup: SoakSetup;
	readonly #runs = new Map<string, WorkflowRun>();
	#lastEventId: string | undefined;
	/** The changes that came without an id: they count once the id is there. */
	#isWhole = false;
	#wholeAt = 0;
	/** Nothing more is heard: the chat is gone, or the tab is closed. */
	#isOver = false;
	#line = new AbortController();

	constructor(setup: SoakSetup, chat: Chat) {
		this.#setup = setup;
		this.chat = chat;
	}

	/** The runs that the events told. */
	get runs(): WorkflowRun[] {
		return [...this.#runs.values()];
	}

	/**
	 * Follows until the chat is erased, or it is closed. A stream that ends before is a complaint, and so is an event that
	 * is told twice, takes something back, or is late.
	 * @param drops whether it lets go of its stream now and then, and comes back with the id of its last event
	 */
	async follow(drops: boolean): Promise<void> {
		const looking = this.#look(drops);
		while (!this.#isOver) {
			const { restarts } = this.#setup.service;
			await this.#setup.service
				.reach((url) => this.#listen(url))
				.catch((error) => {
					const isExpected = this.#line.signal.aborted || restarts !== this.#setup.service.restarts;
					if (!isExpected) this.#complain("refused", String(error));
				});
		}
		await looking;
	}

	close(): void {
		this.#isOver = true;
		this.#line.abort();
	}

	async #listen(url: URL): Promise<void> {
		const { tally } = this.#setup;
		this.#isWhole = false;
		this.#line = new AbortController();
		const { signal } = this.#line;
		const [askedAt, start] = [Date.now(), performance.now()];
		const resumed = this.#lastEventId;
		const response = await fetch(new URL(`${this.chat.runsPath}/stream`, url), {
			headers: { cookie: this.chat.user.cookie, ...(resumed !== undefined && { "last-event-id": resumed }) },
			signal,
		});
		tally.count(resumed === undefined ? "stream" : "resumed stream", response.status, performance.now() - start);
		if (!this.chat.may(askedAt, 200).includes(response.status)) throw new Error(`it answered ${response.status}`);
		if (response.status === 404) {
			await response.body?.cancel();
			this.close();
			return;
		}
		const parser = createParser({ onEvent: (event) => this.#hear(event) });
		const decoder = new TextDecoder();
		for await (const chunk of response.body ?? []) parser.feed(decoder.decode(chunk, { stream: true }));
		if (!this.#isOver) throw new Error("the stream was closed");
	}

	#hear({ event, data, id }: EventSourceMessage): void {
		this.#setup.tally.note("events told");
		const told = JSON.parse(data);
		if (event === "end") {
			const isErased = told.reason === "chat_deleted" && this.chat.isErasing;
			if (!isErased) this.#complain("refused", `it ended: ${data}`);
			this.close();
			return;
		}
		if (this.chat.isGone(Date.now() - LATE_MILLISECONDS)) this.#complain("resurrected", `an event of ${this.chat.id}`);
		if (event === "snapshot") {
			this.#runs.clear();
			for (const run of told.workflowRuns) this.#runs.set(run.id, run);
		} else if (event === "run") {
			const before = this.#runs.get(told.id);
			// A change that was cut off by a drop is told again from its beginning.
			if (this.#isWhole && before && JSON.stringify(before) === data) this.#complain("doubled", `run ${told.id}`);
			if (before && stageOf(told) < stageOf(before)) this.#complain("back", `run ${told.id}`);
			this.#runs.set(told.id, told);
		}
		if (id === undefined) return;
		this.#lastEventId = id;
		if (!this.#isWhole) this.#wholeAt = Date.now();
		this.#isWhole = true;
	}

	async #look(drops: boolean): Promise<void> {
		let dropAt = Date.now() + DROP_MILLISECONDS * Math.random();
		while (!this.#isOver) {
			await sleep(LOOK_MILLISECONDS);
			const now = Date.now();
			if (this.#isOver) return;
			const { erased, model } = this.chat;
			if (erased + LATE_MILLISECONDS < now) {
				this.#complain("late", `the stream of an erased chat goes on: ${this.chat.id}`);
				this.close();
				return;
			}
			// One that has just come back is told all at once.
			if (this.#isWhole && this.#wholeAt < now - LOOK_MILLISECONDS && !this.chat.isErasing)
				this.#setup.tally.complain("event", model.late(this.runs, now, LATE_MILLISECONDS));
			if (!drops || now < dropAt) continue;
			dropAt = now + DROP_MILLISECONDS * Math.random();
			this.#line.abort();
		}
	}

	#complain(fault: "refused" | "resurrected" | "doubled" | "back" | "late", text: string): void {
		this.#setup.tally.complain("stream", [{ fault, text }]);
	}
}
