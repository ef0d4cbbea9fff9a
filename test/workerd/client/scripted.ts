import { vi } from "vitest";
import type { WorkflowRun } from "#protocol/types.ts";

/*
 * A service that answers as a test says, for what the real one does not do when told to: to go dead, to refuse, to be
 * a proxy's sign-in page.
 */

/** A stream's answer that a test writes to. */
export class ScriptedLine {
	readonly response: Response;
	isCancelled = false;
	#controller!: ReadableStreamDefaultController<Uint8Array>;

	constructor() {
		const body = new ReadableStream<Uint8Array>({
			start: (controller) => {
				this.#controller = controller;
				this.write("retry: 2000\n\n");
			},
			cancel: () => {
				this.isCancelled = true;
			},
		});
		this.response = new Response(body, {
			headers: { "content-type": "text/event-stream; charset=utf-8", "x-request-id": "the-stream" },
		});
	}

	write(text: string): void {
		this.#controller.enqueue(new TextEncoder().encode(text));
	}

	send(event: string, data: unknown, id?: string): void {
		this.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n${id === undefined ? "" : `id: ${id}\n`}\n`);
	}

	close(): void {
		this.#controller.close();
	}

	break(): void {
		this.#controller.error(new TypeError("terminated"));
	}
}

type Answer = ScriptedLine | Response | Error | "nothing";

/** Answers requests one after the other, the last answer again and again; each request is kept. */
export function scripted(...answers: Answer[]) {
	const requests: Request[] = [];
	const send: typeof fetch = async (input, init) => {
		// Without the signal: a fetch that does not know it must not matter.
		const { signal: _, ...rest } = init ?? {};
		requests.push(new Request(input, rest));
		const answer = answers[Math.min(requests.length, answers.length) - 1];
		if (answer === "nothing") return new Promise(() => {});
		if (answer instanceof Error) throw answer;
		return answer instanceof ScriptedLine ? answer.response : (answer as Response).clone();
	};
	return { requests, fetch: send, lastEventIds: () => requests.map((request) => request.headers.get("last-event-id")) };
}

export const html = (status = 200) =>
	new Response("<h1>Sign in</h1>", { status, headers: { "content-type": "text/html" } });

export function refusal(status: number, code: string, headers: Record<string, string> = {}): Response {
	return Response.json({ error: "…", code, message: `It is ${code}`, requestId: "1" }, { status, headers });
}

/** A run whose start grows with its number. */
export function numbered(number: number, more: Partial<WorkflowRun> = {}): WorkflowRun {
	const id = `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
	const startedAt = new Date(Date.UTC(2024, 0, 1, 0, 0, number)).toISOString();
	return {
		id,
		chatId: id,
		workflowId: id,
		status: "running",
		startedAt,
		completedAt: null,
		steps: [],
		...more,
	};
}

/** Lets all that is ready happen, and the faked clock move on. */
export const pass = (milliseconds = 0) => vi.advanceTimersByTimeAsync(milliseconds);
