import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { median } from "../../lab/statistics.ts";
import { CALLS_PATH, type Call } from "../../lab/workers/protocol.ts";
import type { Stage } from "../stage.ts";
import { FOLLOWED, type Followed, startFollowed } from "./follow.ts";
import { Recorder } from "./recorder.ts";

export interface WriteRow {
	readonly subject: Followed;
	/** One recorder, one report after the other. */
	readonly aloneMilliseconds: number;
	/** Reports a second of 16 recorders over four chats; and over version 0.1's of the same round. */
	readonly spreadPerSecond: number;
	readonly toVersion1: number;
	/** All of 200 recorders of one run, until the last is answered. */
	readonly crowdMilliseconds: number;
	/** How many of them were refused, with a 503: to be sent again. */
	readonly crowdRefused: number;
	/** D1 round trips of those 200, and of a usual report: the second of its run. */
	readonly crowdQueries: number;
	readonly usualQueries: number;
}

export interface WritePlan {
	readonly alone: number;
	/** How long 16 recorders report, in each of so many rounds. */
	readonly milliseconds: number;
	readonly rounds: number;
	readonly crowd: number;
}

const WRITERS = 16;
const CHATS = 4;
const WORKFLOW = "c2d29867-3d0b-4497-9191-18a9d8ee7830";

/** A report of a run, of which this many steps are done. */
const report = (steps: number) => ({
	workflowId: WORKFLOW,
	status: "running",
	startedAt: "2026-01-01T00:00:00.000Z",
	steps: [
		{
			id: `step-${steps}`,
			status: "completed",
			startedAt: "2026-01-01T00:00:00.000Z",
			completedAt: "2026-01-01T00:00:05.000Z",
		},
	],
});

export async function writeAll(stage: Stage, plan: WritePlan): Promise<WriteRow[]> {
	const rows: WriteRow[] = [];
	const spreads = await spreadAll(stage, plan);
	for (const [i, subject] of FOLLOWED.entries()) {
		const timed = await startFollowed(stage, subject);
		const recorder = new Recorder(timed);
		const aloneMilliseconds = await alone(recorder, plan.alone);
		const crowded = await crowd(recorder, plan.crowd);
		recorder.close();
		await timed.dispose();
		const own = spreads.map((round) => round[i] as number);
		const spreadPerSecond = median(own);
		const toVersion1 = median(own.map((rate, round) => rate / (spreads[round]?.at(-1) as number)));

		const observed = await startFollowed(stage, subject, true);
		const counted = new Recorder(observed);
		const queries = async () => {
			const calls = (await (await fetch(new URL(CALLS_PATH, observed.url))).json()) as Call[];
			return calls.filter(({ store }) => store === "d1").length;
		};
		await alone(counted, 3);
		await sleep(100);
		const usualQueries = await queries();
		const crowdQueries = await countCrowd(counted, plan.crowd, observed.url);
		counted.close();
		await observed.dispose();
		rows.push({ subject, aloneMilliseconds, spreadPerSecond, toVersion1, ...crowded, crowdQueries, usualQueries });
	}
	return rows;
}

async function newChat(recorder: Recorder): Promise<string> {
	const chatId = randomUUID();
	await recorder.register(chatId);
	return chatId;
}

async function alone(recorder: Recorder, reports: number): Promise<number> {
	const path = `${await newChat(recorder)}/workflow-runs/${randomUUID()}`;
	const times: number[] = [];
	for (let i = 0; i < reports; i++) times.push(await recorder.send("PUT", path, report(i)));
	return median(times);
}

/** In turn, round after round, so that a machine that slows down slows both. The first round warms the code up. */
async function spreadAll(stage: Stage, { milliseconds, rounds }: WritePlan): Promise<number[][]> {
	const servers = await Promise.all(FOLLOWED.map((subject) => startFollowed(stage, subject)));
	const recorders = servers.map((server) => new Recorder(server));
	const all: number[][] = [];
	for (let round = 0; round <= rounds; round++) {
		const rates: number[] = [];
		for (const recorder of recorders) rates.push(await spread(recorder, milliseconds));
		if (round > 0) all.push(rates);
	}
	for (const recorder of recorders) recorder.close();
	await Promise.all(servers.map((server) => server.dispose()));
	return all;
}

async function spread(recorder: Recorder, milliseconds: number): Promise<number> {
	const chats = await Promise.all(Array.from({ length: CHATS }, () => newChat(recorder)));
	const until = performance.now() + milliseconds;
	let reports = 0;
	const start = performance.now();
	await Promise.all(
		Array.from({ length: WRITERS }, async (_, writer) => {
			let path = "";
			for (let i = 0; performance.now() < until; i++) {
				if (i % 5 === 0) path = `${chats[writer % CHATS]}/workflow-runs/${randomUUID()}`;
				await recorder.send("PUT", path, report(i % 5));
				reports += 1;
			}
		}),
	);
	return (reports * 1000) / (performance.now() - start);
}

async function crowd(recorder: Recorder, writers: number) {
	const path = `${await newChat(recorder)}/workflow-runs/${randomUUID()}`;
	const start = performance.now();
	const sent = Array.from({ length: writers }, (_, i) => recorder.send("PUT", path, report(i)));
	const refused = (await Promise.allSettled(sent)).filter(({ status }) => status === "rejected");
	return { crowdMilliseconds: performance.now() - start, crowdRefused: refused.length };
}

/** Counted all together: the wrapper begins anew with each request unless it is told not to. */
async function countCrowd(recorder: Recorder, writers: number, url: URL): Promise<number> {
	const total = async () => Number(await (await fetch(new URL(`${CALLS_PATH}?d1-total`, url))).text());
	const before = await total();
	await crowd(recorder, writers);
	// One of them registers the chat.
	return (await total()) - before - 1;
}
