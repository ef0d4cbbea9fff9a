import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { Agent } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ask } from "../lab/ask.ts";
import { bundle } from "../lab/bundle.ts";
import { OWNER } from "../lab/data.ts";
import { usageOf } from "../lab/process.ts";
import { seedOurs, seedSession } from "../lab/seed.ts";
import { openStores, type Server, startServer } from "../lab/server.ts";
import { type Chat, pathOf, poller, reader, recorder, runsIn, type SoakSetup, stranger } from "./actors.ts";
import { heapsOf } from "./heap.ts";
import { Model } from "./model.ts";
import { follow } from "./stream.ts";
import { Tally } from "./tally.ts";

/** How many of each work at the same time. */
export interface Plan {
	readonly seconds: number;
	readonly chats: number;
	readonly readers: number;
	readonly pollers: number;
	readonly streams: number;
	readonly recorders: number;
	readonly strangers: number;
}

export interface Soaked {
	readonly tally: Tally;
	readonly runs: number;
	readonly start: Memory;
	readonly end: Memory;
}

/** In megabytes. */
export interface Memory {
	/** Of the process, with Miniflare's stores; NaN where there is no /proc. */
	readonly resident: number;
	/** Of our Worker's isolate, and of the stores' together. */
	readonly heaps: { readonly ours: number; readonly stores: number };
}

const SECRET = "the soak's own, of more than thirty-two characters";
const TOKEN = "the-soaks-own-token-of-more-than-thirty-two-characters";
/** Streams tell a change at once. This is for those that have just dropped and come back. */
const SETTLE_MILLISECONDS = 5_000;

export async function soak(plan: Plan): Promise<Soaked> {
	const directory = mkdtempSync(path.join(tmpdir(), "edge-runs-soak-"));
	const state = path.join(directory, "state");
	try {
		const built = await bundle("wrangler.toml", path.join(directory, "bundle"));
		const stores = await openStores("ours", state, built);
		await seedOurs(stores.d1, []);
		const chats: Chat[] = [];
		for (let i = 0; i < plan.chats; i++) {
			const userId = `${OWNER}-${i}`;
			chats.push({
				id: randomUUID(),
				userId,
				cookie: await seedSession(stores.kv, SECRET, userId),
				model: new Model(),
			});
		}
		await stores.close();
		const vars = { RECORDER_TOKENS: TOKEN };
		const server = await startServer({ bundle: "ours", vars }, built, { state, secret: SECRET, inspected: true });
		try {
			return await run(plan, server, chats);
		} finally {
			await server.dispose();
		}
	} finally {
		rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
	}
}

async function run(plan: Plan, server: Server, chats: readonly Chat[]): Promise<Soaked> {
	const tally = new Tally();
	const until = Date.now() + plan.seconds * 1000;
	const setup: SoakSetup = { url: server.url, chats, token: TOKEN, tally, isOver: () => Date.now() >= until };
	await register(setup);
	const start = await memoryOf(server);

	const many = <T>(count: number, actor: (setup: SoakSetup) => Promise<T>) =>
		Array.from({ length: count }, () => actor(setup));
	const followers = await Promise.all(
		Array.from({ length: plan.streams }, (_, i) => follow(setup, chats[i % chats.length] as Chat, i % 2 === 1)),
	);
	await Promise.all([
		...many(plan.readers, reader),
		...many(plan.pollers, poller),
		...many(plan.recorders, recorder),
		...many(plan.strangers, stranger),
	]);

	await sleep(SETTLE_MILLISECONDS);
	for (const follower of followers) {
		tally.complain("stream", follower.chat.model.differences(follower.runs()));
		await follower.close();
	}
	await compare(setup);
	const runs = chats.reduce((sum, { model }) => sum + model.size, 0);
	return { tally, runs, start, end: await memoryOf(server) };
}

async function memoryOf({ pid, miniflare }: Server): Promise<Memory> {
	return { resident: usageOf(pid)?.residentMegabytes ?? Number.NaN, heaps: await heapsOf(miniflare) };
}

async function register({ url, chats, token }: SoakSetup): Promise<void> {
	const agent = new Agent();
	const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
	for (const { id, userId } of chats) {
		const { status } = await ask(agent, new URL(`/api/chats/${id}`, url), headers, "PUT", JSON.stringify({ userId }));
		if (status !== 201) throw new Error(`registering a chat answered ${status}`);
	}
}

/** Compares every chat with all reports of it. */
async function compare({ url, chats, tally }: SoakSetup): Promise<void> {
	const agent = new Agent();
	for (const chat of chats) {
		const answer = await ask(agent, new URL(pathOf(chat), url), { cookie: chat.cookie });
		tally.complain("end", answer.status === 200 ? chat.model.differences(runsIn(answer)) : [`${answer.status}`]);
	}
}
