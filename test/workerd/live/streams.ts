import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { type EventSourceMessage, EventSourceParserStream } from "eventsource-parser/stream";
import { app } from "../../../src/app.ts";
import type { Env } from "../../../src/env.ts";
import { runsPath } from "../helpers.ts";
import type { OwnedChat } from "../recording/recorder.ts";

export interface Stream {
	readonly status: number;
	readonly headers: Headers;
	/** The next event; rejects when the stream has ended. */
	next(): Promise<EventSourceMessage>;
	/** Comments so far. */
	readonly comments: readonly string[];
	close(): Promise<void>;
}

const opened: Stream[] = [];

/** For `afterAll`: no stream outlives its test file. */
export const closeStreams = () => Promise.all(opened.splice(0).map((stream) => stream.close()));

export interface OpenOptions {
	/** Of a run: `/` and its id. */
	readonly path?: string;
	readonly headers?: Record<string, string>;
	readonly bindings?: object;
	readonly signal?: AbortSignal;
}

/** Opens a chat's stream as its owner. */
export async function open({ chat, cookie }: OwnedChat, options: OpenOptions = {}): Promise<Stream> {
	const { path = "", headers = {}, bindings = {}, signal } = options;
	const url = `http://edge-runs.test${runsPath(chat)}${path}/stream`;
	const sent = new Request(url, { headers: { cookie, ...headers }, ...(signal && { signal }) });
	const response = await app.fetch(sent, { ...env, ...bindings } as Env, createExecutionContext());
	const comments: string[] = [];
	const reader = (response.body ?? (new Response("").body as ReadableStream<Uint8Array>))
		.pipeThrough(new TextDecoderStream())
		.pipeThrough(new EventSourceParserStream({ onComment: (comment) => comments.push(comment) }))
		.getReader() as ReadableStreamDefaultReader<EventSourceMessage>;
	const events: EventSourceMessage[] = [];
	let isOver = false;
	let wake = () => {};
	// Takes all that comes, as a client does, whether or not the test asks for it.
	void (async () => {
		try {
			for (let read = await reader.read(); !read.done; read = await reader.read()) {
				events.push(read.value);
				wake();
			}
		} catch {
			// Broken off.
		}
		isOver = true;
		wake();
	})();
	const stream: Stream = {
		status: response.status,
		headers: response.headers,
		comments,
		async next() {
			for (;;) {
				const event = events.shift();
				if (event) return event;
				if (isOver) throw new Error("the stream has ended");
				await new Promise<void>((resolve) => {
					wake = resolve;
				});
			}
		},
		close: () => reader.cancel().catch(() => {}),
	};
	opened.push(stream);
	return stream;
}
