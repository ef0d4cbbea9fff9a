import { Agent } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { ask, type HttpAnswer } from "../lab/ask.ts";
import type { WorkflowRun } from "../src/workflow-runs/schemas.ts";
import { lifeOf, pick, scramble } from "./life.ts";
import type { Model } from "./model.ts";
import type { Tally } from "./tally.ts";

/** A chat, its owner's session, and what it must hold. */
export interface Chat {
	readonly id: string;
	readonly userId: string;
	readonly cookie: string;
	readonly model: Model;
}

/** Shared by all actors of a soak. */
export interface SoakSetup {
	readonly url: URL;
	readonly chats: readonly Chat[];
	readonly token: string;
	readonly tally: Tally;
	/** Whether the time is up. */
	readonly isOver: () => boolean;
}

const MAX_RUNS = 100;
const THINK_MILLISECONDS = 20;
const SERVER_ERROR = 500;
const TRIES = 10;

export const pathOf = ({ id }: Chat) => `/api/chats/${id}/workflow-runs`;
export const runsIn = ({ body }: HttpAnswer): WorkflowRun[] => JSON.parse(body.toString()).data.workflowRuns;

/** Asks once and counts the answer. An answer that was not expected is a complaint. */
async function askAs(
	{ url, tally }: SoakSetup,
	kind: string,
	expected: readonly number[],
	...[agent, path, headers, method, body]: [Agent, string, Record<string, string>, string?, string?]
): Promise<HttpAnswer> {
	const start = performance.now();
	const answer = await ask(agent, new URL(path, url), headers, method, body);
	tally.count(kind, answer.status, performance.now() - start);
	if (!expected.includes(answer.status))
		tally.complain(kind, [`${answer.status} ${answer.body.toString().slice(0, 300)}`]);
	return answer;
}

/** Does something again and again, over its own connection, with a short rest in between. */
async function loop(setup: SoakSetup, once: (agent: Agent) => Promise<void>): Promise<void> {
	const agent = new Agent({ keepAlive: true, maxSockets: 1 });
	try {
		while (!setup.isOver()) {
			await once(agent);
			await sleep(Math.random() * THINK_MILLISECONDS);
		}
	} finally {
		agent.destroy();
	}
}

/** Reads the whole list. */
export const reader = (setup: SoakSetup) =>
	loop(setup, async (agent) => {
		const chat = pick(setup.chats);
		const askedAt = Date.now();
		const answer = await askAs(setup, "read", [200], agent, pathOf(chat), { cookie: chat.cookie });
		if (answer.status === 200) setup.tally.complain("read", chat.model.late(runsIn(answer), askedAt));
	});

/** Asks for changes, as a polling tab does. */
export function poller(setup: SoakSetup): Promise<void> {
	const chat = pick(setup.chats);
	let etag = "";
	let runs: WorkflowRun[] = [];
	return loop(setup, async (agent) => {
		const askedAt = Date.now();
		const headers = { cookie: chat.cookie, ...(etag && { "if-none-match": etag }) };
		const answer = await askAs(setup, "poll", etag ? [200, 304] : [200], agent, pathOf(chat), headers);
		if (answer.status === 200) runs = runsIn(answer);
		etag = answer.headers.etag ?? etag;
		setup.tally.complain("poll", chat.model.late(runs, askedAt));
	});
}

/** Asks for a chat that it must not get: with another user's session, or with a forged cookie. */
export const stranger = (setup: SoakSetup) =>
	loop(setup, async (agent) => {
		const [mine, other] = [pick(setup.chats), pick(setup.chats)];
		if (mine.id !== other.id) await askAs(setup, "stranger", [403], agent, pathOf(other), { cookie: mine.cookie });
		const forged = `${mine.cookie.slice(0, -8)}AAAAA%3D`;
		await askAs(setup, "stranger", [401], agent, pathOf(mine), { cookie: forged });
	});

/** Reports a run's life, out of order and partly twice, alone or with other runs of its chat. Then reads the run back. */
export const recorder = (setup: SoakSetup) =>
	loop(setup, async (agent) => {
		const chat = pick(setup.chats.filter(({ model }) => model.size < MAX_RUNS));
		if (!chat) return void (await sleep(1_000));
		const lives = Array.from({ length: Math.random() < 0.5 ? 1 : 4 }, () => scramble(lifeOf(chat.id)));
		while (lives.some((life) => life.length > 0) && !setup.isOver()) {
			const batch = lives.map((life) => life.shift()).filter((run) => run !== undefined);
			await send(setup, agent, chat, batch);
		}
	});

/** Sends reports until the service accepts them. After a 503 it sends them again. */
async function send(setup: SoakSetup, agent: Agent, chat: Chat, runs: WorkflowRun[]): Promise<void> {
	for (const run of runs) chat.model.report(run);
	const headers = { authorization: `Bearer ${setup.token}`, "content-type": "application/json" };
	const [first] = runs as [WorkflowRun];
	const [method, path, body] =
		runs.length === 1
			? (["PUT", `${pathOf(chat)}/${first.id}`, JSON.stringify(first)] as const)
			: (["PATCH", pathOf(chat), JSON.stringify({ workflowRuns: runs })] as const);
	for (let tries = 1; ; tries++) {
		const answer = await askAs(setup, "report", [200, 201], agent, path, headers, method, body);
		if (answer.status < SERVER_ERROR || tries === TRIES) {
			for (const run of runs) chat.model.acknowledge(run);
			return readBack(setup, agent, chat, first, String(answer.headers["x-d1-bookmark"]));
		}
		await sleep(Number(answer.headers["retry-after"] ?? 1) * 1000);
	}
}

/** Reads with the bookmark of the write, so that the run must be there. */
async function readBack(setup: SoakSetup, agent: Agent, chat: Chat, run: WorkflowRun, bookmark: string): Promise<void> {
	const headers = { cookie: chat.cookie, "x-d1-bookmark": bookmark };
	const answer = await askAs(setup, "read back", [200], agent, pathOf(chat), headers);
	if (answer.status === 200 && !runsIn(answer).some(({ id }) => id === run.id)) {
		setup.tally.complain("read back", [`run ${run.id} is not there`]);
	}
}
