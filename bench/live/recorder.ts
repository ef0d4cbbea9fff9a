import { randomUUID } from "node:crypto";
import { Agent } from "node:http";
import { ask } from "../../lab/ask.ts";
import { type ChatSize, chatIdOf, OWNER, runsOf } from "../../lab/data.ts";
import type { Server } from "../../lab/server.ts";
import type { WorkflowRun } from "../../src/workflow-runs/schemas.ts";
import { markerName } from "./streams.ts";

/** Of the measured servers. */
export const TOKEN = "the-benchmark-s-service-token-0123456789";

/** workerd closes a connection that is idle for 5 s, maybe just when it is used again: it is given up before. */
const IDLE_MILLISECONDS = 3_000;

/** Reports to a server, as a recorder does. Throws unless an answer is a success. */
export class Recorder {
	readonly #agent = new Agent({ keepAlive: true, timeout: IDLE_MILLISECONDS });
	readonly #server: Server;

	constructor(server: Server) {
		this.#server = server;
	}

	/** @returns the milliseconds until it was answered */
	async send(method: string, path: string, body: object): Promise<number> {
		const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };
		const start = performance.now();
		const answer = await ask(
			this.#agent,
			new URL(`/api/chats/${path}`, this.#server.url),
			headers,
			method,
			JSON.stringify(body),
		);
		if (answer.status >= 300) throw new Error(`${method} ${path} answered ${answer.status}: ${answer.body}`);
		return performance.now() - start;
	}

	register(chatId: string): Promise<number> {
		return this.send("PUT", chatId, { userId: OWNER });
	}

	/** Changes the chat's one running run, and nothing else. */
	mark(size: ChatSize, marker: number): Promise<number> {
		const { id, workflowId, startedAt } = runsOf(size)[1] as ReturnType<typeof runsOf>[number];
		return this.#mark(`${chatIdOf(size)}/workflow-runs/${id}`, { workflowId, startedAt }, marker);
	}

	/** A chat that nobody watches: what it gives reports just as `mark` does. */
	async unwatched(): Promise<(marker: number) => Promise<number>> {
		const chatId = randomUUID();
		await this.register(chatId);
		const path = `${chatId}/workflow-runs/${randomUUID()}`;
		const run = { workflowId: randomUUID(), startedAt: "2026-01-01T00:00:00.000Z" };
		return (marker) => this.#mark(path, run, marker);
	}

	#mark(path: string, { workflowId, startedAt }: Pick<WorkflowRun, "workflowId" | "startedAt">, marker: number) {
		const steps = [{ id: "marker", status: "running", startedAt, name: markerName(marker) }];
		return this.send("PUT", path, { workflowId, status: "running", startedAt, steps });
	}

	close(): void {
		this.#agent.destroy();
	}
}
