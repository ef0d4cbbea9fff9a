import { createParser, type EventSourceMessage } from "eventsource-parser";
import type { WorkflowRun } from "../src/workflow-runs/schemas.ts";
import { type Headed, until } from "./service.ts";
import type { Stage } from "./stage.ts";

/** What a client of a stream has: the id of the last event, and the runs that the events told, by their ids. */
export interface Place {
	readonly lastEventId: string | undefined;
	readonly runs: ReadonlyMap<string, WorkflowRun>;
}

/** A client of a stream, which knows its runs by the events alone. */
export class Stream {
	readonly events: EventSourceMessage[] = [];
	isOver = false;
	#place: Place;
	readonly #line = new AbortController();

	/**
	 * Opens a stream, until the drill is over.
	 * @param from where the client comes back from; left out: it is a new one
	 */
	static open(stage: Stage, url: URL, reader: Headed, from?: Place): Stream {
		const stream = new Stream(url, reader, from);
		stage.atEnd(() => stream.close());
		return stream;
	}

	private constructor(url: URL, reader: Headed, from: Place = { lastEventId: undefined, runs: new Map() }) {
		this.#place = from;
		const resume = from.lastEventId === undefined ? {} : { "last-event-id": from.lastEventId };
		void this.#listen(url, { ...reader, ...resume })
			// A line that breaks is over, and whoever waits for an event says so.
			.catch(() => {})
			.finally(() => {
				this.isOver = true;
			});
	}

	/** What the client has by now. */
	get place(): Place {
		return this.#place;
	}

	async #listen(url: URL, headers: Headed): Promise<void> {
		let runs = new Map(this.#place.runs);
		const onEvent = (event: EventSourceMessage) => {
			this.events.push(event);
			const told = JSON.parse(event.data);
			if (event.event === "snapshot") runs = new Map();
			for (const run of event.event === "snapshot" ? told.workflowRuns : event.event === "run" ? [told] : []) {
				runs.set(run.id, run);
			}
			if (event.id !== undefined) this.#place = { lastEventId: event.id, runs: new Map(runs) };
		};
		const parser = createParser({ onEvent });
		const decoder = new TextDecoder();
		const response = await fetch(url, { headers, signal: this.#line.signal });
		for await (const chunk of response.body ?? []) parser.feed(decoder.decode(chunk, { stream: true }));
	}

	/** Until a change is told that comes after a place. */
	async movesOn(from: Place | undefined, seconds = 10): Promise<Place> {
		await until("the stream tells something", () => this.#place.lastEventId !== from?.lastEventId, seconds);
		return this.#place;
	}

	/** Until it has ended. @returns the reason that it told */
	async ended(seconds: number): Promise<unknown> {
		await until("the stream has ended", () => this.isOver, seconds);
		return JSON.parse(this.events.at(-1)?.data ?? "{}").reason;
	}

	close(): void {
		this.#line.abort();
	}
}
