import type { EventSourceMessage } from "eventsource-parser/stream";
import { expect } from "vitest";
import { mergeRuns } from "#protocol/merge.ts";
import type { WorkflowRun } from "../../../src/workflow-runs/schemas.ts";
import type { OwnedChat } from "../recording/recorder.ts";
import { open, type Stream } from "./streams.ts";

/** Runs as a client has them: each run's JSON by its id. */
type Runs = ReadonlyMap<string, string>;

/** A client of a chat's stream, which knows the chat by events alone and can come back at any id that it has had. */
export class Follower {
	/** Whether no run has been deleted so far, so that nothing may be taken back. */
	isMonotonous = true;
	readonly #chat: OwnedChat;
	readonly #states: { id: string; runs: Runs }[] = [];
	#runs: Runs = new Map();
	#stream: Stream | null = null;
	#told: Promise<void> = Promise.resolve();
	#fault: unknown;

	constructor(chat: OwnedChat) {
		this.#chat = chat;
	}

	get isOpen(): boolean {
		return this.#stream !== null;
	}

	/** Whether something went wrong on the way: see `verdict`. */
	get hasFault(): boolean {
		return this.#fault !== undefined;
	}

	/** The runs, in no order. */
	get texts(): string[] {
		return [...this.#runs.values()].sort();
	}

	/** @param back how many of its states the client has forgotten; all of them: it comes as a new one */
	async open(back = 0): Promise<void> {
		await this.close();
		this.#states.splice(Math.max(0, this.#states.length - back));
		const last = this.#states.at(-1);
		this.#runs = last?.runs ?? new Map();
		const stream = await open(this.#chat, { headers: last ? { "last-event-id": last.id } : {} });
		if (stream.status !== 200) return;
		this.#stream = stream;
		this.#told = this.#follow(stream).catch((error) => {
			this.#fault ??= error;
		});
	}

	/** Drops the line, in the middle of whatever comes. */
	async close(): Promise<void> {
		const stream = this.#stream;
		this.#stream = null;
		await stream?.close();
		await this.#told;
	}

	async #follow(stream: Stream): Promise<void> {
		let runs = new Map(this.#runs);
		for (;;) {
			const event = await stream.next().catch(() => null);
			if (this.#stream !== stream) return;
			if (event === null || event.event === "end") {
				this.#stream = null;
				return;
			}
			runs = this.#apply(runs, event);
			if (event.id === undefined) continue;
			this.#runs = runs;
			this.#states.push({ id: event.id, runs });
		}
	}

	#apply(before: Runs, { event, data }: EventSourceMessage): Map<string, string> {
		const told =
			event === "snapshot"
				? (JSON.parse(data).workflowRuns as WorkflowRun[]).map((run) => JSON.stringify(run))
				: [data];
		const runs = new Map(event === "snapshot" ? [] : before);
		for (const text of told) {
			const run = JSON.parse(text) as WorkflowRun;
			const known = before.get(run.id);
			// A run that is told has changed, and has gone on.
			if (event === "run") expect(text, "told twice").not.toBe(known);
			if (known && (event === "run" || this.isMonotonous)) {
				expect(mergeRuns(reported(JSON.parse(known)), run), "taken back").toEqual(run);
			}
			runs.set(run.id, text);
		}
		if (this.isMonotonous) expect(runs.size, "taken back").toBeGreaterThanOrEqual(before.size);
		return runs;
	}

	/** @throws what went wrong on the way, if anything did */
	async verdict(): Promise<void> {
		await this.close();
		if (this.hasFault) throw this.#fault;
	}
}

/** A run without an end that is assumed: whatever is reported later takes that back. */
function reported(run: WorkflowRun): WorkflowRun {
	if (!run.assumed) return run;
	const { assumed: _, error: __, ...known } = run;
	return { ...known, status: "pending", completedAt: null };
}
