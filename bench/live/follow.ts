import { Agent } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { ask } from "../../lab/ask.ts";
import { type ChatSize, chatIdOf, sizeName } from "../../lab/data.ts";
import { usageOf } from "../../lab/process.ts";
import type { Server } from "../../lab/server.ts";
import { median, quantile } from "../../lab/statistics.ts";
import { CALLS_PATH, type Call } from "../../lab/workers/protocol.ts";
import type { Stage } from "../stage.ts";
import { Recorder, TOKEN } from "./recorder.ts";
import { openStreams } from "./streams.ts";

/** Ours, and version 0.1, which looked every second. */
export const FOLLOWED = ["ours", "version 1"] as const;
export type Followed = (typeof FOLLOWED)[number];

export interface LivePlan {
	/** How long nothing happens while the idle load is measured, and how long reports come, in milliseconds. */
	readonly idleMilliseconds: number;
	readonly busyMilliseconds: number;
	/** Reports a second. */
	readonly rate: number;
	readonly scenes: readonly Scene[];
}

export interface Scene {
	readonly size: ChatSize;
	readonly streams: number;
	/** Only ours: more than a version that polls can take. */
	readonly oursOnly?: boolean;
	/** Instead of the plan's: with heartbeats, which come every 15 s. */
	readonly idleMilliseconds?: number;
}

/** One subject, one chat, this many streams. */
export interface LiveRow {
	readonly subject: Followed;
	readonly size: string;
	readonly streams: number;
	/** From sending a report to its event, over all streams and reports. */
	readonly p50Milliseconds: number;
	readonly p99Milliseconds: number;
	/** Reports that a stream never showed, nor a later one. */
	readonly lost: number;
	/** Cores of workerd that are busy, the stores that Miniflare plays included; null where it cannot be told. */
	readonly idleCores: number | null;
	readonly busyCores: number | null;
	/** The time to a report's answer; and to that of a chat that nobody watches, in turn with it. */
	readonly writeMilliseconds: number;
	readonly unwatchedMilliseconds: number;
}

/** All scenes for one subject after the other: streams that poll would slow each other's machine down. */
export async function followAll(stage: Stage, plan: LivePlan): Promise<LiveRow[]> {
	const rows: LiveRow[] = [];
	for (const scene of plan.scenes) {
		for (const subject of scene.oursOnly ? (["ours"] as const) : FOLLOWED) {
			const server = await startFollowed(stage, subject);
			rows.push(await follow(server, stage.cookie, subject, scene, plan));
			await server.dispose();
		}
	}
	return rows;
}

export const startFollowed = (stage: Stage, subject: Followed, observed = false) =>
	stage.start({ bundle: subject, vars: { RECORDER_TOKENS: TOKEN } }, observed);

/** What is late by more than this is not waited for, in milliseconds. */
const PATIENCE = 4_000;
/** Streams settle, and the code warms up. */
const SETTLE = 1_500;
const WARM_UP_REPORTS = 10;

async function follow(
	server: Server,
	cookie: string,
	subject: Followed,
	{ size, streams: count, idleMilliseconds }: Scene,
	plan: LivePlan,
): Promise<LiveRow> {
	const { busyMilliseconds, rate } = plan;
	const recorder = new Recorder(server);
	const url = new URL(`/api/chats/${chatIdOf(size)}/workflow-runs/stream`, server.url);
	const streams = await openStreams(url, cookie, count);
	let marker = 0;
	const markUnwatched = await recorder.unwatched();
	for (; marker < WARM_UP_REPORTS; marker++) {
		await recorder.mark(size, marker);
		await markUnwatched(marker);
	}
	await sleep(SETTLE);
	const idleCores = await coresOf(server, () => sleep(idleMilliseconds ?? plan.idleMilliseconds));

	const sent = new Map<number, number>();
	const writes: Promise<number>[] = [];
	const unwatched: Promise<number>[] = [];
	const busyCores = await coresOf(server, async () => {
		const until = performance.now() + busyMilliseconds;
		const dueAt = (due: number) => sleep(Math.max(0, due - performance.now()));
		for (let due = performance.now(); due < until; due += 1000 / rate) {
			await dueAt(due);
			sent.set(marker, performance.now());
			writes.push(recorder.mark(size, marker));
			await dueAt(due + 500 / rate);
			unwatched.push(markUnwatched(marker));
			marker += 1;
		}
		await Promise.all([...writes, ...unwatched]);
	});
	const last = marker - 1;
	for (let waited = 0; waited < PATIENCE && streams.arrivals(last).includes(undefined); waited += 50) await sleep(50);
	const delays: number[] = [];
	let lost = 0;
	for (const [each, start] of sent) {
		for (const arrival of streams.arrivals(each)) {
			if (arrival === undefined) lost += 1;
			else delays.push(arrival - start);
		}
	}
	streams.close();
	recorder.close();
	delays.sort((a, b) => a - b);
	return {
		subject,
		size: sizeName(size),
		streams: count,
		p50Milliseconds: delays.length > 0 ? quantile(delays, 0.5) : Number.NaN,
		p99Milliseconds: delays.length > 0 ? quantile(delays, 0.99) : Number.NaN,
		lost,
		idleCores,
		busyCores,
		writeMilliseconds: median(await Promise.all(writes)),
		unwatchedMilliseconds: median(await Promise.all(unwatched)),
	};
}

async function coresOf(server: Server, work: () => Promise<unknown>): Promise<number | null> {
	const [before, start] = [usageOf(server.pid), performance.now()];
	await work();
	const after = usageOf(server.pid);
	return before && after ? (after.cpuMilliseconds - before.cpuMilliseconds) / (performance.now() - start) : null;
}

/** What streams ask of D1, and what a client that comes back is sent. */
export interface LiveCost {
	readonly subject: Followed;
	/** D1 round trips in ten seconds of 20 idle streams. */
	readonly idleQueries: number;
	/** D1 round trips and rows of one report that 20 streams are told of, those of the report itself included. */
	readonly reportQueries: number;
	readonly reportRows: number;
	/** Bytes to a client that comes back after one change. */
	readonly resumeBytes: number;
}

const COST_STREAMS = 20;
export async function costAll(stage: Stage, size: ChatSize, idleMilliseconds = 10_000): Promise<LiveCost[]> {
	const costs: LiveCost[] = [];
	for (const subject of FOLLOWED) {
		const server = await startFollowed(stage, subject, true);
		const recorder = new Recorder(server);
		const url = new URL(`/api/chats/${chatIdOf(size)}/workflow-runs/stream`, server.url);
		const streams = await openStreams(url, stage.cookie, COST_STREAMS);
		await recorder.mark(size, 0);
		await sleep(SETTLE);
		const before = (await callsOf(server)).length;
		await sleep(idleMilliseconds);
		const idleQueries = (await callsOf(server)).length - before;
		// A report is a request, with which counting begins anew.
		await recorder.mark(size, 1);
		await sleep(SETTLE);
		const calls = await callsOf(server);
		streams.close();
		const resumeBytes = await resume(url, stage.cookie, () => recorder.mark(size, 2));
		recorder.close();
		await server.dispose();
		const reportRows = calls.reduce((sum, { rowsRead }) => sum + rowsRead, 0);
		costs.push({ subject, idleQueries, reportQueries: calls.length, reportRows, resumeBytes });
	}
	return costs;
}

async function callsOf(server: Server): Promise<Call[]> {
	const agent = new Agent();
	const { body } = await ask(agent, new URL(CALLS_PATH, server.url), {});
	agent.destroy();
	return (JSON.parse(body.toString()) as Call[]).filter(({ store }) => store === "d1");
}

/** The bytes that a client is sent that has gone, missed a change and comes back. */
async function resume(url: URL, cookie: string, change: () => Promise<unknown>): Promise<number> {
	const listen = async (headers: Record<string, string>) => {
		const line = new AbortController();
		const response = await fetch(url, { headers: { cookie, ...headers }, signal: line.signal });
		let text = "";
		const reading = (async () => {
			for await (const chunk of response.body ?? []) text += Buffer.from(chunk).toString();
		})().catch(() => {});
		await sleep(SETTLE);
		line.abort();
		await reading;
		return text;
	};
	const [, id] = [...(await listen({})).matchAll(/^id: ?(.+)$/gm)].at(-1) ?? [];
	await change();
	return Buffer.byteLength(await listen({ "last-event-id": id as string }));
}
