import { Agent } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { ask, type HttpAnswer } from "../lab/ask.ts";
import type { Chat, User } from "./chat.ts";
import type { Age } from "./model.ts";
import { OPERATOR, RECORDER, type Service } from "./service.ts";
import type { Fault, Tally } from "./tally.ts";

/** Shared by all actors of a soak. */
export interface SoakSetup {
	readonly service: Service;
	/** Those that are there. An erased one makes room for a new one. */
	readonly chats: Chat[];
	/** Those that were erased. */
	readonly graves: Chat[];
	/** Reports of runs that come of age, for a queue that comes again. */
	readonly past: { readonly chat: Chat; readonly body: string; readonly age: Age }[];
	readonly tally: Tally;
	/** How long an actor rests between two requests, at the most. */
	readonly restMilliseconds: number;
	/** Whether the time is up. */
	readonly isOver: () => boolean;
	/** A user who is signed in. */
	readonly signIn: () => Promise<User>;
}

export const recording = { authorization: `Bearer ${RECORDER}`, "content-type": "application/json" };
export const operating = { authorization: `Bearer ${OPERATOR}` };

export interface Asked {
	readonly path: string;
	readonly headers: Record<string, string>;
	readonly method?: string;
	readonly body?: string;
	/** Looked up when the answer is there: a chat may be erased meanwhile. */
	readonly expected: () => readonly number[];
	/** What it is if an answer with success was not expected. */
	readonly unexpected?: Fault;
}

/** Asks until there is an answer, and counts it. One that was not expected is a complaint. */
export async function askAs(
	{ service, tally }: SoakSetup,
	agent: Agent,
	kind: string,
	asked: Asked,
): Promise<HttpAnswer> {
	const { path, headers, method, body, expected, unexpected = "refused" } = asked;
	let start = 0;
	const answer = await service.reach((url) => {
		start = performance.now();
		return ask(agent, new URL(path, url), headers, method, body);
	});
	tally.count(kind, answer.status, performance.now() - start);
	if (!expected().includes(answer.status)) {
		const text = `${method ?? "GET"} ${path}: ${answer.status} ${answer.body.toString().slice(0, 300)}`;
		tally.complain(kind, [{ fault: answer.status < 300 ? unexpected : "refused", text }]);
	}
	return answer;
}

/** Does something again and again, over its own connection, with a short rest in between. */
export async function loop(setup: SoakSetup, once: (agent: Agent) => Promise<void>): Promise<void> {
	const agent = new Agent({ keepAlive: true, maxSockets: 1 });
	try {
		while (!setup.isOver()) {
			await once(agent);
			await sleep(Math.random() * setup.restMilliseconds);
		}
	} finally {
		agent.destroy();
	}
}
