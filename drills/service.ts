import { setTimeout as sleep } from "node:timers/promises";
import type { WorkflowRun } from "../src/workflow-runs/schemas.ts";

export interface Answer {
	readonly status: number;
	readonly headers: Headers;
	readonly text: string;
}

export type Headed = Readonly<Record<string, string>>;

export const runsPath = (chat: string) => `/api/chats/${chat}/workflow-runs`;

/** The runs of an answer with a list. */
export const runsIn = ({ text }: Answer): WorkflowRun[] => JSON.parse(text).data.workflowRuns;

/** The error code of an answer; undefined where it is none. */
export const codeIn = ({ text }: Answer): string | undefined => JSON.parse(text).code;

export const bearer = (token: string): Headed => ({ authorization: `Bearer ${token}` });

/** The service at an address, for one reader and one recorder. */
export class Service {
	readonly url: URL;
	readonly #reader: Headed;
	readonly #token: string;

	/** @param reader the headers that sign a reader in */
	constructor(url: URL, reader: Headed, token: string) {
		this.url = url;
		this.#reader = reader;
		this.#token = token;
	}

	read(path: string, headers: Headed = {}): Promise<Answer> {
		return send(this.url, path, { headers: { ...this.#reader, ...headers } });
	}

	/** @throws where it is not answered with a list */
	async list(chat: string): Promise<WorkflowRun[]> {
		const answer = await this.read(runsPath(chat));
		if (answer.status !== 200) throw new Error(`the list is a ${answer.status}: ${answer.text}`);
		return runsIn(answer);
	}

	write(method: "PUT" | "PATCH" | "DELETE", path: string, json?: object): Promise<Answer> {
		const body = json && { body: JSON.stringify(json) };
		const headers = { ...bearer(this.#token), ...(json && { "content-type": "application/json" }) };
		return send(this.url, path, { method, headers, ...body });
	}
}

/** Sends a request, and reads the whole answer. */
export async function send(url: URL, path: string, init: RequestInit = {}): Promise<Answer> {
	const response = await fetch(new URL(path, url), init);
	return { status: response.status, headers: response.headers, text: await response.text() };
}

/** Something that goes on beside the drill, again and again, until it is stopped. What goes wrong in it, `stop` throws. */
export class Loop {
	#isOver = false;
	readonly #running: Promise<unknown>;

	/** @param pause between two rounds, in milliseconds */
	constructor(round: () => Promise<unknown>, pause = 20) {
		this.#running = (async () => {
			while (!this.#isOver) {
				await round();
				await sleep(pause);
			}
		})();
		this.#running.catch(() => {});
	}

	async stop(): Promise<void> {
		this.#isOver = true;
		await this.#running;
	}
}

/**
 * Waits until something holds.
 * @returns for how long, in milliseconds
 * @throws if it does not within the time
 */
export async function until(what: string, holds: () => unknown, seconds = 10): Promise<number> {
	const start = Date.now();
	while (!(await holds())) {
		if (Date.now() - start > seconds * 1_000) throw new Error(`not within ${seconds} s: ${what}`);
		await sleep(20);
	}
	return Date.now() - start;
}
