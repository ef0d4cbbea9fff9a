import { setTimeout as sleep } from "node:timers/promises";
import { type ChatSize, chatIdOf, sizeName } from "../../lab/data.ts";
import { usageOf } from "../../lab/process.ts";
import type { Server } from "../../lab/server.ts";
import { median, quantile } from "../../lab/statistics.ts";
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
export const PATIENCE = 4_000;
/** Streams settle, and the code warms up: in milliseconds. */
export const SETTLE = 1_500;
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
