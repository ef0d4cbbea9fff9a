import { Agent } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { ask } from "../../lab/ask.ts";
import { type ChatSize, chatIdOf } from "../../lab/data.ts";
import type { Server } from "../../lab/server.ts";
import { CALLS_PATH, type Call } from "../../lab/workers/protocol.ts";
import type { Stage } from "../stage.ts";
import { FOLLOWED, type Followed, PATIENCE, SETTLE, startFollowed } from "./follow.ts";
import { Recorder } from "./recorder.ts";
import { openStreams } from "./streams.ts";

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
		for (let waited = 0; waited < PATIENCE && !/^id:.*\n/m.test(text); waited += 50) await sleep(50);
		await sleep(SETTLE);
		line.abort();
		await reading;
		return text;
	};
	const [, id] = [...(await listen({})).matchAll(/^id: ?(.+)$/gm)].at(-1) ?? [];
	await change();
	return Buffer.byteLength(await listen({ "last-event-id": id as string }));
}
