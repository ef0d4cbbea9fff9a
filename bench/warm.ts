import { Agent } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { type Ask, ask } from "../lab/ask.ts";
import { type ChatSize, chatIdOf, OWNER, runsOf, sizeName } from "../lab/data.ts";
import type { Server } from "../lab/server.ts";
import type { Subject } from "./subjects.ts";

/** Our edge cache's name; see `src/workflow-runs/edge-cache.ts`. */
const EDGE_CACHE = "edge-runs-history";
/** For what a Worker does behind its answer: the entry that it puts into the cache. */
const SETTLE_MILLISECONDS = 30;
/** A large entry takes longer. */
const MAX_TRIES = 100;

/**
 * Brings a server to the state that its subject is about, and returns the request to measure, with the answer it
 * must get. Our cache is emptied first, so that what it holds is never older than the stretch that follows.
 *
 * @throws if the body is not the chat's runs: all subjects must answer the same
 */
export async function warm(server: Server, subject: Subject, size: ChatSize, cookie: string): Promise<Ask> {
	const agent = new Agent({ keepAlive: true });
	try {
		if (subject.bundle === "hello") return { url: server.url, headers: {}, status: 200, bytes: 2 };
		const url = new URL(`/api/chats/${chatIdOf(size)}/workflow-runs`, server.url);
		const expected = { data: { workflowRuns: runsOf(size) } };
		if (subject.bundle === "floor") await ask(agent, url, { "x-owner": OWNER }, "PUT", JSON.stringify(expected));
		if (subject.bundle === "ours") await server.miniflare.purgeCache(EDGE_CACHE);

		const first = await ask(agent, url, { cookie });
		if (first.status !== 200 || !isDeepStrictEqual(JSON.parse(first.body.toString()), expected)) {
			throw new Error(`${subject.name} does not answer the ${sizeName(size)} chat as it must: ${first.status}`);
		}
		const headers = subject.sends ? { cookie, [subject.sends]: String(first.headers.etag) } : { cookie };
		for (let tries = 1; ; tries++) {
			await sleep(SETTLE_MILLISECONDS);
			const { status, body, headers: answered } = await ask(agent, url, headers);
			const isWarm = subject.cacheStatus?.test(String(answered["cache-status"])) ?? true;
			if (isWarm) return { url, headers, status, bytes: body.length, cacheStatus: subject.cacheStatus };
			if (tries === MAX_TRIES) throw new Error(`${subject.name} answers ${answered["cache-status"]} again and again`);
		}
	} finally {
		agent.destroy();
	}
}
