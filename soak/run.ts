import { mkdtempSync, rmSync } from "node:fs";
import { Agent } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { bundle } from "../lab/bundle.ts";
import { seedOurs } from "../lab/seed.ts";
import { openStores } from "../lab/server.ts";
import { clock, round } from "./actors/clock.ts";
import { compare, eraser, redriver, register } from "./actors/erasers.ts";
import { poller, reader, stranger } from "./actors/readers.ts";
import { recorder, silent } from "./actors/recorders.ts";
import { watcher } from "./actors/watchers.ts";
import { Chat } from "./chat.ts";
import { type Memory, Service } from "./service.ts";
import type { SoakSetup } from "./setup.ts";
import { Tally } from "./tally.ts";

/** How many of each work at the same time, and how often what happens. */
export interface Plan {
	readonly seconds: number;
	readonly restMilliseconds: number;
	readonly cronSeconds: number;
	readonly eraseSeconds: number;
	readonly restarts: number;
	readonly users: number;
	readonly chatsEach: number;
	readonly readers: number;
	readonly pollers: number;
	readonly streams: number;
	readonly recorders: number;
	readonly silent: number;
	readonly strangers: number;
	readonly redrivers: number;
	readonly erasers: number;
}

export interface Soaked {
	readonly tally: Tally;
	/** From the start to the end. */
	readonly memory: readonly Memory[];
}

/** How often memory is looked at in all. */
const LOOKS = 20;
/** For what was pruned and given up in the last round to be told, and for streams that have just dropped to come back. */
const SETTLE_MILLISECONDS = 12_000;

export async function soak(plan: Plan): Promise<Soaked> {
	const directory = mkdtempSync(path.join(tmpdir(), "edge-runs-soak-"));
	const state = path.join(directory, "state");
	try {
		const built = await bundle("wrangler.toml", path.join(directory, "bundle"));
		const stores = await openStores("ours", state, built);
		await seedOurs(stores.d1, []);
		await stores.close();
		const service = await Service.start(built, state);
		try {
			return await run(plan, service);
		} finally {
			await service.stop();
		}
	} finally {
		rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
	}
}

async function run(plan: Plan, service: Service): Promise<Soaked> {
	const tally = new Tally();
	const start = Date.now();
	let users = 0;
	const until = start + plan.seconds * 1000;
	const setup: SoakSetup = {
		service,
		chats: [],
		graves: [],
		past: [],
		tally,
		restMilliseconds: plan.restMilliseconds,
		isOver: () => Date.now() >= until,
		signIn: () => service.signIn(`soaker-${++users}`),
	};
	const agent = new Agent();
	for (let i = 0; i < plan.users; i++) {
		const user = await setup.signIn();
		for (let j = 0; j < plan.chatsEach; j++) setup.chats.push(await register(setup, agent, new Chat(user)));
	}
	const memory = [await service.memory()];
	const many = (count: number, actor: (setup: SoakSetup) => Promise<void>) =>
		Array.from({ length: count }, () => actor(setup));
	const watchers = Array.from({ length: plan.streams }, (_, i) =>
		watcher(setup, setup.chats[i % setup.chats.length] as Chat, i % 2 === 1),
	);
	await Promise.all([
		...many(plan.readers, reader),
		...many(plan.pollers, poller),
		...many(plan.recorders, recorder),
		...many(plan.silent, silent),
		...many(plan.strangers, stranger),
		...many(plan.redrivers, redriver),
		...many(plan.erasers, (each) => eraser(each, plan.eraseSeconds * 1000)),
		clock(setup, plan.cronSeconds * 1000),
		killer(setup, start, plan),
		watchMemory(setup, memory, plan),
	]);

	// All runs of yesterday have come of age by then, and all silent ones are given up.
	await sleep(SETTLE_MILLISECONDS);
	await round(setup);
	await sleep(SETTLE_MILLISECONDS);
	for (const { follower } of watchers) tally.complain("stream", follower.chat.model.differences(follower.runs));
	await Promise.all(watchers.map((each) => each.close()));
	for (const chat of setup.chats) await compare(setup, agent, chat);
	await digUp(setup);
	agent.destroy();
	return { tally, memory: [...memory, await service.memory()] };
}

/** Kills workerd, at even distances. */
async function killer({ service, tally }: SoakSetup, start: number, { restarts, seconds }: Plan): Promise<void> {
	for (let i = 1; i <= restarts; i++) {
		await sleep(start + (i * seconds * 1000) / (restarts + 1) - Date.now());
		await service.restart();
		tally.note("workerd killed");
	}
}

async function watchMemory({ service, isOver }: SoakSetup, memory: Memory[], { seconds }: Plan): Promise<void> {
	while (!isOver()) {
		await sleep((seconds * 1000) / LOOKS);
		const { restarts } = service;
		await service.memory().then(
			(seen) => memory.push(seen),
			(error) => {
				if (restarts === service.restarts) throw error;
			},
		);
	}
}

/** Looks in D1 for runs of chats that were erased. */
async function digUp({ service, graves, tally }: SoakSetup): Promise<void> {
	const ids = JSON.stringify(graves.map(({ id }) => id));
	const query = `select
		(select count(*) from workflow_runs where chat_id in (select value from json_each(?))) as runs,
		(select count(*) from user_runs where run_id not in (select id from workflow_runs)) as entries`;
	const [found] = await service.sql<{ runs: number; entries: number }>(query, ids);
	if (found?.runs !== 0 || found.entries !== 0)
		tally.complain("D1", [{ fault: "resurrected", text: `rows of erased chats: ${JSON.stringify(found)}` }]);
}
