import { Agent } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { type Ask, ask } from "../lab/ask.ts";
import { type ChatSize, sizeName } from "../lab/data.ts";
import type { Server } from "../lab/server.ts";
import { median } from "../lab/statistics.ts";
import { CALLS_PATH, type Call, OBSERVE_HEADER, type Observation } from "../lab/workers/protocol.ts";
import type { Stage } from "./stage.ts";
import { SUBJECTS } from "./subjects.ts";
import { warm } from "./warm.ts";

/** What one request asks of the stores. */
export interface Calls {
	readonly subject: string;
	readonly size: string;
	readonly kv: number;
	readonly d1: number;
	readonly cache: number;
	/** The longest chain of KV and D1 calls of which each waits for the one before. */
	readonly inSequence: number;
	readonly rowsRead: number;
}

/** How long KV and D1 take to answer, in milliseconds. */
export interface Delays {
	readonly kv: number;
	readonly d1: number;
}

/** The time to the answer with stores that far away. */
export interface Timed {
	readonly subject: string;
	readonly delays: Delays;
	readonly milliseconds: number;
}

/** With calls this slow, one that does not wait for another starts before the other has ended. */
const TELLING_DELAYS: Delays = { kv: 40, d1: 40 };
/** So that not the first use of the code is timed. */
const WARM_UP_REQUESTS = 50;
/** For what is done behind the answer: it counts too. */
const SETTLE_MILLISECONDS = 100;

/** Observes all subjects but the bare one: calls for every size, times for one of them. */
export async function observe(
	stage: Stage,
	{ size, delays, repeats }: { size: ChatSize; delays: readonly Delays[]; repeats: number },
): Promise<{ calls: Calls[]; times: Timed[] }> {
	const calls: Calls[] = [];
	const times: Timed[] = [];
	const agent = new Agent({ keepAlive: true });
	for (const subject of SUBJECTS.filter(({ bundle }) => bundle !== "hello")) {
		const server = await stage.start(subject, true);
		for (const each of stage.sizes) {
			const asked = await warm(server, subject, each, stage.cookie);
			calls.push({ subject: subject.name, size: sizeName(each), ...(await countCalls(agent, server, asked)) });
		}
		await time(agent, await warm(server, subject, size, stage.cookie), { kv: 0, d1: 0 }, WARM_UP_REQUESTS);
		for (const each of delays) {
			const milliseconds = await time(agent, await warm(server, subject, size, stage.cookie), each, repeats);
			times.push({ subject: subject.name, delays: each, milliseconds });
		}
		await server.dispose();
	}
	agent.destroy();
	const bySize = stage.sizes.flatMap((each) => calls.filter((call) => call.size === sizeName(each)));
	return { calls: bySize, times };
}

function observing({ kv, d1 }: Delays, countRows: boolean): Record<string, string> {
	const observation: Observation = { kvMilliseconds: kv, d1Milliseconds: d1, countRows };
	return { [OBSERVE_HEADER]: JSON.stringify(observation) };
}

async function countCalls(agent: Agent, server: Server, { url, headers }: Ask) {
	await ask(agent, url, { ...headers, ...observing(TELLING_DELAYS, true) });
	await sleep(SETTLE_MILLISECONDS);
	const { body } = await ask(agent, new URL(CALLS_PATH, server.url), {});
	const calls = JSON.parse(body.toString()) as Call[];
	const count = (store: Call["store"]) => calls.filter((call) => call.store === store).length;
	return {
		kv: count("kv"),
		d1: count("d1"),
		cache: count("cache"),
		inSequence: longestChain(calls.filter(({ store }) => store !== "cache")),
		rowsRead: calls.reduce((sum, { rowsRead }) => sum + rowsRead, 0),
	};
}

/** @param calls in the order of their starts */
export function longestChain(calls: readonly Call[]): number {
	const lengths: number[] = [];
	for (const { start } of calls) {
		const before = lengths.filter((_, i) => ((calls[i] as Call).end ?? Number.POSITIVE_INFINITY) < start);
		lengths.push(1 + Math.max(0, ...before));
	}
	return Math.max(0, ...lengths);
}

async function time(agent: Agent, { url, headers }: Ask, delays: Delays, repeats: number): Promise<number> {
	const times: number[] = [];
	for (let i = 0; i < repeats; i++) {
		const sent = performance.now();
		await ask(agent, url, { ...headers, ...observing(delays, false) });
		times.push(performance.now() - sent);
	}
	return median(times);
}
