import { setTimeout as sleep } from "node:timers/promises";
import { createParser, type EventSourceMessage } from "eventsource-parser";
import type { WorkflowRun } from "../src/workflow-runs/schemas.ts";
import { type Chat, pathOf, type SoakSetup } from "./actors.ts";
import { stageOf } from "./model.ts";

/** A tab with a stream, and the history that it knows from the events alone. */
export interface Follower {
	readonly chat: Chat;
	/** The runs that the events told. */
	runs(): WorkflowRun[];
	close(): Promise<void>;
}

/** How often it is asked whether the stream has told what was recorded. */
const LOOK_MILLISECONDS = 1_000;
/** How long a tab that drops its stream keeps one, at most. */
const DROP_MILLISECONDS = 6_000;

/**
 * Follows a chat until it is closed. A stream that ends before is a complaint, and so is an event that is told twice,
 * steps back, or is late.
 * @param drops whether it lets go of its stream now and then, and comes back with the id of its last event
 */
export async function follow(setup: SoakSetup, chat: Chat, drops: boolean): Promise<Follower> {
	const { tally } = setup;
	const runs = new Map<string, WorkflowRun>();
	let lastEventId: string | undefined;
	/** The changes that came without an id: they count once the id is there. */
	let isWhole = false;
	let isClosed = false;
	let line = new AbortController();

	function hear({ event, data, id }: EventSourceMessage): void {
		tally.events++;
		const told = JSON.parse(data);
		if (event === "end") tally.complain("stream", [`ended: ${data}`]);
		if (event === "snapshot") {
			runs.clear();
			for (const run of told.workflowRuns) runs.set(run.id, run);
		} else if (event === "run") {
			const before = runs.get(told.id);
			// A change that was cut off by a drop is told again from its beginning.
			if (isWhole && before && JSON.stringify(before) === data)
				tally.complain("event", [`run ${told.id} was told twice`]);
			if (before && stageOf(told) < stageOf(before)) tally.complain("event", [`run ${told.id} stepped back`]);
			runs.set(told.id, told);
		}
		if (id !== undefined) {
			lastEventId = id;
			isWhole = true;
		}
	}

	async function listen(): Promise<void> {
		isWhole = false;
		line = new AbortController();
		const { signal } = line;
		const start = performance.now();
		const resume = lastEventId === undefined ? {} : { "last-event-id": lastEventId };
		const response = await fetch(new URL(`${pathOf(chat)}/stream`, setup.url), {
			headers: { cookie: chat.cookie, ...resume },
			signal,
		});
		tally.count(lastEventId === undefined ? "stream" : "resumed stream", response.status, performance.now() - start);
		const parser = createParser({ onEvent: hear });
		const decoder = new TextDecoder();
		for await (const chunk of response.body ?? []) parser.feed(decoder.decode(chunk, { stream: true }));
		throw new Error("the stream was closed");
	}

	const listening = (async () => {
		while (!isClosed) {
			await listen().catch((error) => {
				if (!line.signal.aborted) tally.complain("stream", [String(error)]);
			});
		}
	})();
	const looking = (async () => {
		let dropAt = Date.now() + DROP_MILLISECONDS * Math.random();
		for (;;) {
			await sleep(LOOK_MILLISECONDS);
			if (isClosed) return;
			if (isWhole) tally.complain("event", chat.model.late([...runs.values()], Date.now()));
			if (!drops || Date.now() < dropAt) continue;
			dropAt = Date.now() + DROP_MILLISECONDS * Math.random();
			line.abort();
		}
	})();
	while (!isWhole) await sleep(10);
	return {
		chat,
		runs: () => [...runs.values()],
		async close() {
			isClosed = true;
			line.abort();
			await Promise.all([listening, looking]);
		},
	};
}
