import { Agent } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { type Answer, ask } from "../bench/load.ts";
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

/** What every actor works with. */
export interface Stage {
	readonly url: URL;
	readonly chats: readonly Chat[];
	readonly token: string;
	readonly tally: Tally;
	/** Whether it is time to go home. */
	readonly isOver: () => boolean;
}

const MAX_RUNS = 100;
const THINK_MILLISECONDS = 20;
const SERVER_ERROR = 500;
const TRIES = 10;

export const pathOf = ({ id }: Chat) => `/api/chats/${id}/workflow-runs`;
export const runsIn = ({ body }: Answer): WorkflowRun[] => JSON.parse(body.toString()).data.workflowRuns;

/** Asks once and keeps count; an answer that is none of the expected ones is a complaint. */
async function askAs(
	{ url, tally }: Stage,
	kind: string,
	expected: readonly number[],
	...[agent, path, headers, method, body]: [Agent, string, Record<string, string>, string?, string?]
): Promise<Answer> {
	const start = performance.now();
	const answer = await ask(agent, new URL(path, url), headers, method, body);
	tally.count(kind, answer.status, performance.now() - start);
	if (!expected.includes(answer.status))
		tally.complain(kind, [`${answer.status} ${answer.body.toString().slice(0, 300)}`]);
	return answer;
}

/** Does something again and again, over a connection of its own, with a short rest. */
async function loop(stage: Stage, once: (agent: Agent) => Promise<void>): Promise<void> {
	const agent = new Agent({ keepAlive: true, maxSockets: 1 });
	try {
		while (!stage.isOver()) {
			await once(agent);
			await sleep(Math.random() * THINK_MILLISECONDS);
		}
	} finally {
		agent.destroy();
	}
}

/** Reads the whole list. */
export const reader = (stage: Stage) =>
	loop(stage, async (agent) => {
		const chat = pick(stage.chats);
		const askedAt = Date.now();
		const answer = await askAs(stage, "read", [200], agent, pathOf(chat), { cookie: chat.cookie });
		if (answer.status === 200) stage.tally.complain("read", chat.model.late(runsIn(answer), askedAt));
	});

/** Asks for changes, as a tab that polls does. */
export function poller(stage: Stage): Promise<void> {
	const chat = pick(stage.chats);
	let etag = "";
	let runs: WorkflowRun[] = [];
	return loop(stage, async (agent) => {
		const askedAt = Date.now();
		const headers = { cookie: chat.cookie, ...(etag && { "if-none-match": etag }) };
		const answer = await askAs(stage, "poll", etag ? [200, 304] : [200], agent, pathOf(chat), headers);
		if (answer.status === 200) runs = runsIn(answer);
		etag = answer.headers.etag ?? etag;
		stage.tally.complain("poll", chat.model.late(runs, askedAt));
	});
}

/** Tries what it must not get: another's chat, by its own session; or by a cookie that is forged. */
export const stranger = (stage: Stage) =>
	loop(stage, async (agent) => {
		const [mine, other] = [pick(stage.chats), pick(stage.chats)];
		if (mine.id !== other.id) await askAs(stage, "stranger", [403], agent, pathOf(other), { cookie: mine.cookie });
		const forged = `${mine.cookie.slice(0, -8)}AAAAA%3D`;
		await askAs(stage, "stranger", [401], agent, pathOf(mine), { cookie: forged });
	});

/** Reports a run's life, out of order and some of it twice, alone or with others of its chat, and reads what it wrote. */
export const recorder = (stage: Stage) =>
	loop(stage, async (agent) => {
		const chat = pick(stage.chats.filter(({ model }) => model.size < MAX_RUNS));
		if (!chat) return void (await sleep(1_000));
		const lives = Array.from({ length: Math.random() < 0.5 ? 1 : 4 }, () => scramble(lifeOf(chat.id)));
		while (lives.some((life) => life.length > 0) && !stage.isOver()) {
			const batch = lives.map((life) => life.shift()).filter((run) => run !== undefined);
			await send(stage, agent, chat, batch);
		}
	});

/** Sends reports until they are taken: a 503 asks to come again. */
async function send(stage: Stage, agent: Agent, chat: Chat, runs: WorkflowRun[]): Promise<void> {
	for (const run of runs) chat.model.report(run);
	const headers = { authorization: `Bearer ${stage.token}`, "content-type": "application/json" };
	const [first] = runs as [WorkflowRun];
	const [method, path, body] =
		runs.length === 1
			? (["PUT", `${pathOf(chat)}/${first.id}`, JSON.stringify(first)] as const)
			: (["PATCH", pathOf(chat), JSON.stringify({ workflowRuns: runs })] as const);
	for (let tries = 1; ; tries++) {
		const answer = await askAs(stage, "report", [200, 201], agent, path, headers, method, body);
		if (answer.status < SERVER_ERROR || tries === TRIES) {
			for (const run of runs) chat.model.acknowledge(run);
			return readBack(stage, agent, chat, first, String(answer.headers["x-d1-bookmark"]));
		}
		await sleep(Number(answer.headers["retry-after"] ?? 1) * 1000);
	}
}

/** By the bookmark of the write, so that it must be there. */
async function readBack(stage: Stage, agent: Agent, chat: Chat, run: WorkflowRun, bookmark: string): Promise<void> {
	const headers = { cookie: chat.cookie, "x-d1-bookmark": bookmark };
	const answer = await askAs(stage, "read back", [200], agent, pathOf(chat), headers);
	if (answer.status === 200 && !runsIn(answer).some(({ id }) => id === run.id)) {
		stage.tally.complain("read back", [`run ${run.id} is not there`]);
	}
}
