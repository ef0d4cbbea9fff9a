import { createParser } from "eventsource-parser";
import type { WorkflowRun } from "../src/workflow-runs/schemas.ts";
import { type Chat, pathOf, type SoakSetup } from "./actors.ts";

/** A tab with a stream, and the history that it knows from the events alone. */
export interface Follower {
	readonly chat: Chat;
	/** The runs that the events told. */
	runs(): WorkflowRun[];
	close(): Promise<void>;
}

/** Follows a chat until it is closed. A stream that ends before is a complaint. */
export async function follow({ url, tally }: SoakSetup, chat: Chat): Promise<Follower> {
	const abort = new AbortController();
	const start = performance.now();
	const response = await fetch(new URL(`${pathOf(chat)}/stream`, url), {
		headers: { cookie: chat.cookie },
		signal: abort.signal,
	});
	tally.count("stream", response.status, performance.now() - start);
	const runs = new Map<string, WorkflowRun>();
	const parser = createParser({
		onEvent: ({ event, data }) => {
			tally.events++;
			const told = JSON.parse(data);
			if (event === "snapshot") runs.clear();
			for (const run of event === "snapshot" ? told.workflowRuns : event === "run" ? [told] : []) runs.set(run.id, run);
			if (event === "end") tally.complain("stream", [`ended: ${data}`]);
		},
	});
	const reading = (async () => {
		const decoder = new TextDecoder();
		for await (const chunk of response.body ?? []) parser.feed(decoder.decode(chunk, { stream: true }));
		tally.complain("stream", ["was closed"]);
	})().catch((error) => {
		if (!abort.signal.aborted) tally.complain("stream", [String(error)]);
	});
	return {
		chat,
		runs: () => [...runs.values()],
		async close() {
			abort.abort();
			await reading;
		},
	};
}
