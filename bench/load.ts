import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { Ask } from "../lab/ask.ts";

export interface Load {
	/** Requests a second. */
	readonly rate: number;
	/** Milliseconds from sending a request to the end of its answer, one a request, ascending. */
	readonly latencies: readonly number[];
}

/**
 * A closed loop: each connection asks again as soon as it has its answer.
 * @throws if an answer is not what it must be: a fast wrong answer is no measurement
 */
export async function load(expected: Ask, connections: number, milliseconds: number): Promise<Load> {
	const agent = new Agent({ keepAlive: true, maxSockets: connections });
	const latencies: number[] = [];
	const start = performance.now();
	const connection = async () => {
		do {
			const sent = performance.now();
			await askOnce(agent, expected);
			latencies.push(performance.now() - sent);
		} while (performance.now() - start < milliseconds);
	};
	try {
		await Promise.all(Array.from({ length: connections }, connection));
	} finally {
		agent.destroy();
	}
	// To the end of the last answer, since all of them are counted.
	const seconds = (performance.now() - start) / 1000;
	return { rate: latencies.length / seconds, latencies: latencies.sort((a, b) => a - b) };
}

/** So that what a Worker does behind its answer is over before the next request. */
const REST_MILLISECONDS = 5;

/** One request at a time, with a rest between them. Returns their latencies. */
export async function solo(expected: Ask, milliseconds: number): Promise<number[]> {
	const agent = new Agent({ keepAlive: true, maxSockets: 1 });
	const latencies: number[] = [];
	const start = performance.now();
	try {
		do {
			const sent = performance.now();
			await askOnce(agent, expected);
			latencies.push(performance.now() - sent);
			await sleep(REST_MILLISECONDS);
		} while (performance.now() - start < milliseconds);
	} finally {
		agent.destroy();
	}
	return latencies;
}

function askOnce(agent: Agent, { url, headers, status, bytes, cacheStatus }: Ask): Promise<void> {
	return new Promise((resolve, reject) => {
		const sent = request(url, { agent, headers }, (response) => {
			let received = 0;
			response.on("data", (chunk: Buffer) => {
				received += chunk.length;
			});
			response.on("error", reject);
			response.on("end", () => {
				const found = String(response.headers["cache-status"]);
				if (response.statusCode === status && received === bytes && (cacheStatus?.test(found) ?? true)) resolve();
				else reject(new Error(`${url.href} answered ${response.statusCode}, ${received} bytes, cache-status ${found}`));
			});
		});
		sent.on("error", reject);
		sent.end();
	});
}
