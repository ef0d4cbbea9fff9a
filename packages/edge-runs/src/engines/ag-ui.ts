import { type AgUiOptions, AgUiReader } from "../protocol/ag-ui.ts";
import { type AdapterOptions, type ChatOptions, isAbort, quietly, send, toError } from "./adapter.ts";

/*
 * AG-UI 1.0 (@ag-ui/core, @ag-ui/client): records the runs of an agent, or those that a stream of events tells of.
 * docs/engines/ag-ui.md says what it records.
 */

export interface AgUiRecording extends AdapterOptions, Partial<ChatOptions> {
	/** Default: the run's `threadId`. */
	readonly chatId?: string;
}

/** What the adapter uses of an `AbstractAgent` of @ag-ui/client. */
export interface AgUiAgent {
	agentId?: string;
	subscribe(subscriber: AgUiSubscriber): { unsubscribe(): void };
}

interface AgUiSubscriber {
	onEvent(params: { event: unknown; input: { runId: string } }): void;
	onRunFailed(params: { error: Error; input: { runId: string } }): void;
	onRunFinalized(params: { input: { runId: string } }): void;
}

/**
 * Records every run of an agent from now on. The workflow's name is `workflow`, or else the agent's id.
 * @returns a function that stops it
 */
export function recordAgent(agent: AgUiAgent, options: AgUiRecording): () => void {
	const streams = new Map<string, EventRecorder>();
	const streamOf = ({ runId }: { runId: string }) => {
		const known = streams.get(runId);
		if (known) return known;
		const made = new EventRecorder({ workflow: agent.agentId, ...options });
		streams.set(runId, made);
		return made;
	};
	const { unsubscribe } = agent.subscribe({
		onEvent: ({ event, input }) => streamOf(input).read(event),
		onRunFailed: ({ error, input }) => streamOf(input).fail(error),
		onRunFinalized: ({ input }) => {
			// A run that was given up by its caller says nothing more.
			streams.get(input.runId)?.stop();
			streams.delete(input.runId);
		},
	});
	return unsubscribe;
}

/** Passes events on as they come, and records what they tell. A source that throws fails the run, one left early cancels it. */
export async function* recordEvents<E>(
	events: AsyncIterable<E>,
	options: AgUiRecording,
): AsyncGenerator<E, void, void> {
	const stream = new EventRecorder(options);
	try {
		for await (const event of events) {
			stream.read(event);
			yield event;
		}
	} catch (error) {
		stream.fail(error);
		throw error;
	} finally {
		stream.stop();
	}
}

/** Reads the events of one stream and reports what they tell; for sources that are neither an agent nor iterable. */
export class EventRecorder {
	readonly #options: AgUiRecording;
	readonly #reader: AgUiReader;
	#chatId: string | undefined;

	constructor(options: AgUiRecording) {
		this.#options = options;
		this.#chatId = options.chatId;
		this.#reader = new AgUiReader({ ...options, workflow: options.workflow ?? "ag-ui" } satisfies AgUiOptions);
	}

	/** Reads an event. A malformed one is skipped. */
	read(event: unknown): void {
		this.#report(() => {
			this.#reader.read(event, Date.now());
			const { threadId } = event as { threadId?: unknown };
			if (typeof threadId === "string") this.#chatId ??= threadId;
		});
	}

	/** The stream broke off with an error. */
	fail(error: unknown): void {
		const aborted = isAbort(error);
		this.#report(() =>
			this.#reader.stop(
				aborted ? "cancelled" : "failed",
				Date.now(),
				aborted ? undefined : toError(error).error.message,
			),
		);
	}

	/** Nothing more comes. A run that did not say how it ended was cancelled. */
	stop(): void {
		this.#report(() => this.#reader.stop("cancelled", Date.now()));
	}

	#report(read: () => void): void {
		quietly(read);
		const chatId = this.#chatId;
		if (chatId === undefined) return;
		const { recorder, userId } = this.#options;
		for (const run of quietly(() => this.#reader.take()) ?? []) {
			send(recorder, { chatId, userId }, { take: () => run });
		}
	}
}
