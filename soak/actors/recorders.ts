import type { Agent } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { WorkflowRun } from "../../src/workflow-runs/schemas.ts";
import { type Chat, runsIn } from "../chat.ts";
import { agedLifeOf, ageOf, lifeOf, pick, scramble } from "../life.ts";
import type { Age } from "../model.ts";
import { askAs, loop, recording, type SoakSetup } from "../setup.ts";

const MAX_RUNS = 100;
const MAX_PAST = 2_000;
const SERVER_ERROR = 500;
const TRIES = 10;
/** How many runs are of yesterday, and come of age meanwhile. */
const AGED = 0.25;
const LOOK_MILLISECONDS = 200;

/** A chat that takes further runs; undefined where none does. */
const openChat = ({ chats }: SoakSetup): Chat | undefined =>
	pick(chats.filter(({ model, isClosing }) => !isClosing && model.size < MAX_RUNS));

/** Does something in a chat that takes further runs, while the chat waits for it. */
const inChat = (setup: SoakSetup, work: (agent: Agent, chat: Chat) => Promise<void>) =>
	loop(setup, async (agent) => {
		const chat = openChat(setup);
		if (!chat) return void (await sleep(LOOK_MILLISECONDS));
		chat.busy++;
		try {
			await work(agent, chat);
		} finally {
			chat.busy--;
		}
	});

/** Reports a run's life, out of order and partly twice, alone or with other runs of its chat. Then reads the run back. */
export const recorder = (setup: SoakSetup) =>
	inChat(setup, async (agent, chat) => {
		const isAged = Math.random() < AGED;
		const made = Array.from({ length: Math.random() < 0.5 ? 1 : 4 }, () =>
			isAged ? agedLifeOf(chat.id) : lifeOf(chat.id),
		);
		const age = isAged ? ageOf(made) : null;
		const lives = made.map(scramble);
		while (lives.some((life) => life.length > 0) && !chat.isErasing) {
			const batch = lives.map((life) => life.shift()).filter((run) => run !== undefined);
			const body = await send(setup, agent, chat, batch, age);
			if (age) setup.past.unshift({ chat, body, age });
			setup.past.splice(MAX_PAST);
		}
	});

/** Reports a run, falls silent until it is given up, and is heard of again or not. */
export const silent = (setup: SoakSetup) =>
	inChat(setup, async (agent, chat) => {
		const life = lifeOf(chat.id);
		const half = life.slice(0, 2 + Math.floor(Math.random() * 3));
		const { id } = life[0] as WorkflowRun;
		for (const state of half) await send(setup, agent, chat, [state], null);
		chat.model.silence(id);
		while (!chat.model.isGivenUp(id) && !chat.isErasing && !setup.isOver()) await sleep(LOOK_MILLISECONDS);
		if (Math.random() < 0.5 || setup.isOver()) return;
		for (const state of life.slice(half.length)) if (!chat.isErasing) await send(setup, agent, chat, [state], null);
		setup.tally.note("given up, then heard of again");
	});

/** Sends reports until the service accepts them, or the chat is erased. After a 503 it sends them again. Returns what it sent. */
async function send(setup: SoakSetup, agent: Agent, chat: Chat, runs: WorkflowRun[], age: Age | null): Promise<string> {
	for (const run of runs) chat.model.report(run, age);
	const [first] = runs as [WorkflowRun];
	const body = JSON.stringify({ workflowRuns: runs });
	const [method, path, sent] =
		runs.length === 1
			? (["PUT", `${chat.runsPath}/${first.id}`, JSON.stringify(first)] as const)
			: (["PATCH", chat.runsPath, body] as const);
	for (let tries = 1; ; tries++) {
		const askedAt = Date.now();
		const expected = () => chat.may(askedAt, 200, 201);
		const answer = await askAs(setup, agent, "report", { path, headers: recording, method, body: sent, expected });
		if (answer.status === 404) return body;
		if (answer.status < SERVER_ERROR || tries === TRIES) {
			for (const run of runs) chat.model.acknowledge(run);
			await readBack(setup, agent, chat, first, String(answer.headers["x-d1-bookmark"]), age);
			return body;
		}
		await sleep(Number(answer.headers["retry-after"] ?? 1) * 1000);
	}
}

/** Reads with the bookmark of the write, so that the run must be there. */
async function readBack(
	setup: SoakSetup,
	agent: Agent,
	chat: Chat,
	run: WorkflowRun,
	bookmark: string,
	age: Age | null,
): Promise<void> {
	const askedAt = Date.now();
	const headers = { cookie: chat.user.cookie, "x-d1-bookmark": bookmark };
	const expected = () => chat.may(askedAt, 200);
	const answer = await askAs(setup, agent, "read back", {
		path: chat.runsPath,
		headers,
		expected,
		unexpected: "resurrected",
	});
	if (answer.status !== 200 || (age && age.from < Date.now())) return;
	if (!runsIn(answer).some(({ id }) => id === run.id))
		setup.tally.complain("read back", [{ fault: "lost", text: `run ${run.id} is not there` }]);
}
