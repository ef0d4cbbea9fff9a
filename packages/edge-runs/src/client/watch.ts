import { createParser, type EventSourceMessage } from "eventsource-parser";
import { compareRuns } from "../protocol/order.ts";
import type { WorkflowRun } from "../protocol/types.ts";
import { EdgeRunsError, toError } from "./errors.ts";

/** The service sends a comment every 15 s: a line that is silent for three of them is dead. */
const SILENCE_SECONDS = 45;
const RETRY_BASE_MILLISECONDS = 1_000;
const RETRY_MAX_MILLISECONDS = 30_000;

/** Opens the stream, from the state that `lastEventId` names on. */
export type Connect = (lastEventId: string | undefined, signal: AbortSignal) => Promise<Response>;

/**
 * A chat's runs, in the list's order: at once, and again whenever one changes. Runs that did not change stay the same
 * objects. A line that drops is taken up again without loss; it ends with the caller's `signal`, or by an
 * EdgeRunsError where coming back is refused.
 */
export async function* watch(connect: Connect, signal: AbortSignal | undefined): AsyncGenerator<WorkflowRun[]> {
	const runs = new Map<string, WorkflowRun>();
	let lastEventId: string | undefined;
	let failures = 0;
	while (!signal?.aborted) {
		const line = new AbortController();
		const hangUp = () => line.abort();
		signal?.addEventListener("abort", hangUp);
		let silence = setTimeout(hangUp, SILENCE_SECONDS * 1000);
		const heard = () => {
			failures = 0;
			clearTimeout(silence);
			silence = setTimeout(hangUp, SILENCE_SECONDS * 1000);
		};
		try {
			const response = await connect(lastEventId, line.signal);
			if (!response.ok || !response.body) throw await toError(response);
			for await (const { event, data, id } of eventsOf(response.body, heard)) {
				if (event === "snapshot") {
					runs.clear();
					for (const run of (JSON.parse(data) as { workflowRuns: WorkflowRun[] }).workflowRuns) runs.set(run.id, run);
				} else if (event === "run") {
					const run = JSON.parse(data) as WorkflowRun;
					runs.set(run.id, run);
				} else {
					// `end`, or an event of a later version. Coming back says by an error what ended.
					continue;
				}
				// Without an id there is more to come of the same change.
				if (id === undefined) continue;
				lastEventId = id;
				yield [...runs.values()].sort(compareRuns);
			}
			await pause(null, 1, signal);
		} catch (error) {
			if (signal?.aborted) return;
			if (error instanceof EdgeRunsError && error.status < 500 && error.status !== 429) throw error;
			failures += 1;
			await pause(error instanceof EdgeRunsError ? error.retryAfterSeconds : null, failures, signal);
		} finally {
			clearTimeout(silence);
			signal?.removeEventListener("abort", hangUp);
			line.abort();
		}
	}
}

/** A stream's events. By a reader: not every browser can iterate a ReadableStream. */
async function* eventsOf(
	body: ReadableStream<Uint8Array>,
	heard: () => void,
): AsyncGenerator<EventSourceMessage, void, undefined> {
	const events: EventSourceMessage[] = [];
	const parser = createParser({ onEvent: (event) => events.push(event) });
	const decoder = new TextDecoder();
	const reader = body.getReader();
	for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
		heard();
		parser.feed(decoder.decode(chunk.value, { stream: true }));
		yield* events.splice(0);
	}
}

/** Exponential, with jitter, so that clients which lost the line together do not come back together. */
function pause(atLeastSeconds: number | null, failures: number, signal: AbortSignal | undefined): Promise<void> {
	const backoff = Math.min(RETRY_BASE_MILLISECONDS * 2 ** (failures - 1), RETRY_MAX_MILLISECONDS);
	const milliseconds = Math.max((atLeastSeconds ?? 0) * 1000, backoff / 2) + (Math.random() * backoff) / 2;
	return new Promise((resolve) => {
		const timer = setTimeout(done, milliseconds);
		function done() {
			clearTimeout(timer);
			signal?.removeEventListener("abort", done);
			resolve();
		}
		signal?.addEventListener("abort", done);
	});
}
