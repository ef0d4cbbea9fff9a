import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { Agent } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { bundle } from "../bench/bundle.ts";
import { OWNER } from "../bench/data.ts";
import { ask } from "../bench/load.ts";
import { usageOf } from "../bench/process.ts";
import { seedOurs, seedSession } from "../bench/seed.ts";
import { openStores, startServer } from "../bench/server.ts";
import { type Chat, pathOf, poller, reader, recorder, runsIn, type Stage, stranger } from "./actors.ts";
import { Model } from "./model.ts";
import { follow } from "./stream.ts";
import { Tally } from "./tally.ts";

/** How many of each are at it at the same time. */
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
	/** Megabytes of workerd, before the first request, at most, and a while after the last; empty where there is no /proc. */
	readonly memory: readonly number[];
}

const SECRET = "the soak's own, of more than thirty-two characters";
const TOKEN = "the-soaks-own-token-of-more-than-thirty-two-characters";
/** A stream tells a change within 2 s of its report. */
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
		const server = await startServer({ bundle: "ours", vars }, built, { state, secret: SECRET });
		try {
			return await run(plan, server, chats);
		} finally {
			await server.dispose();
		}
	} finally {
		rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
	}
}

async function run(
	plan: Plan,
	{ url, pid }: { url: URL; pid: number | null },
	chats: readonly Chat[],
): Promise<Soaked> {
	const tally = new Tally();
	const end = Date.now() + plan.seconds * 1000;
	const stage: Stage = { url, chats, token: TOKEN, tally, isOver: () => Date.now() >= end };
	await register(stage);
	const memory = () => usageOf(pid)?.residentMegabytes ?? Number.NaN;
	const start = memory();
	let peak = start;
	const watch = setInterval(() => {
		peak = Math.max(peak, memory());
	}, 1_000);

	const many = <T>(count: number, actor: (stage: Stage) => Promise<T>) =>
		Array.from({ length: count }, () => actor(stage));
	const followers = await Promise.all(
		Array.from({ length: plan.streams }, (_, i) => follow(stage, chats[i % chats.length] as Chat)),
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
	await compare(stage);
	clearInterval(watch);
	const runs = chats.reduce((sum, { model }) => sum + model.size, 0);
	return { tally, runs, memory: [start, peak, memory()] };
}

async function register({ url, chats, token }: Stage): Promise<void> {
	const agent = new Agent();
	const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
	for (const { id, userId } of chats) {
		const { status } = await ask(agent, new URL(`/api/chats/${id}`, url), headers, "PUT", JSON.stringify({ userId }));
		if (status !== 201) throw new Error(`registering a chat answered ${status}`);
	}
}

/** Every chat with all that was reported of it. */
async function compare({ url, chats, tally }: Stage): Promise<void> {
	const agent = new Agent();
	for (const chat of chats) {
		const answer = await ask(agent, new URL(pathOf(chat), url), { cookie: chat.cookie });
		tally.complain("end", answer.status === 200 ? chat.model.differences(runsIn(answer)) : [`${answer.status}`]);
	}
}
