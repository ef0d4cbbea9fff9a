import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { migrate as applyMigrations, MIGRATIONS_OF_01, seedSession } from "../lab/seed.ts";
import { startVersions, storesOf } from "../lab/server.ts";
import { serveD1Api } from "./cloudflare.ts";
import { countOfWrongUserRuns, type D1 } from "./database.ts";
import { Load } from "./load.ts";
import { npmRun } from "./npm.ts";
import { SECRET, TOKEN, USER } from "./scene.ts";
import { Service } from "./service.ts";
import type { Drill, Stage } from "./stage.ts";

export const migrate: Drill = {
	about: "migrate 100,000 runs of version 0.1 while it serves, then deploy this version",
	run,
};

const RUNS = 100_000;
const RUNS_A_CHAT = 100;
/** Of 0.1 that are served meanwhile. */
const CHATS = Array.from({ length: 5 }, () => randomUUID());
/** How long it goes on under load, before and behind each change. */
const MILLISECONDS = 2_000;

async function run(stage: Stage): Promise<void> {
	const { bundles, state } = stage;
	const vars = { RECORDER_TOKENS: TOKEN };
	const { urls, miniflare, dispose } = await startVersions(
		{
			"0.1": { bundle: "version 1", code: bundles["version 1"], vars },
			ours: { bundle: "ours", code: bundles.ours, vars },
		},
		{ state, secret: SECRET, onLog: stage.log },
	);
	stage.atEnd(dispose);
	const { d1, kv } = await storesOf(miniflare, "0.1");
	const reader = { cookie: await seedSession(kv, SECRET, USER) };
	const [old, ours] = [new Service(urls["0.1"], reader, TOKEN), new Service(urls.ours, reader, TOKEN)];
	await applyMigrations(d1, MIGRATIONS_OF_01);
	await fill(d1);
	for (const chat of CHATS) {
		assert.equal((await old.write("PUT", `/api/chats/${chat}`, { userId: USER })).status, 201);
	}
	const before = await old.list(filledChat(0));
	const load = new Load(CHATS, [old]);
	stage.atEnd(() => load.stop().catch(() => {}));

	stage.step(`0.1 serves a database with ${RUNS.toLocaleString("en")} runs, and records more.`);
	load.start(4, 4);
	await sleep(MILLISECONDS);
	stage.seen(load.takeAnswers());

	stage.step("npm run db:migrate, while 0.1 serves.");
	const api = await serveD1Api(d1, "edge-runs");
	stage.atEnd(api.close);
	await npmRun("db:migrate", api.env);
	stage.seen(`D1 was busy with the migrations for ${api.milliseconds().map(Math.round)} ms`);
	stage.seen(load.takeAnswers());

	stage.step("0.1 goes on, on the new tables.");
	await sleep(MILLISECONDS);
	stage.seen(load.takeAnswers());

	stage.step("This version is deployed. While that spreads, both serve; then it serves alone.");
	load.services = [old, ours];
	await sleep(MILLISECONDS);
	stage.seen(load.takeAnswers());
	load.services = [ours];
	await sleep(MILLISECONDS);
	stage.seen(load.takeAnswers());
	await load.stop();

	stage.step("Nothing is lost, doubled or wrong.");
	stage.seen(`all ${await load.compare(ours)} runs that were recorded meanwhile are as they were reported`);
	const filled = await d1.prepare("select count(*) as n from workflow_runs where steps = ?").bind(STEPS).first("n");
	assert.deepEqual([filled, await ours.list(filledChat(0))], [RUNS, before]);
	assert.equal(await countOfWrongUserRuns(d1), 0);
	stage.seen(
		`the ${RUNS.toLocaleString("en")} that were there are as they were, and each has its entry among its user's runs`,
	);
}

const STEPS = JSON.stringify(
	Array.from({ length: 5 }, (_, position) => ({
		id: `step-${position + 1}`,
		status: "completed",
		startedAt: "2024-02-04T12:00:00.000Z",
		completedAt: "2024-02-04T12:01:30.000Z",
		name: `Step ${position + 1}`,
		position,
	})),
);

const filledChat = (i: number) => `00000000-0000-4000-8000-${i.toString(16).padStart(12, "0")}`;

/** Fills a database of 0.1 with finished runs of the user's, as 0.1 stores them. */
async function fill(d1: D1): Promise<void> {
	const numbers = "with recursive numbers(i) as (select 0 union all select i + 1 from numbers where i + 1 < ?)";
	const chatId = (i: string) => `printf('00000000-0000-4000-8000-%012x', ${i})`;
	const at = "'2024-02-04T12:00:00.000Z'";
	await d1
		.prepare(
			`${numbers} insert into chats (id, user_id, revision, created_at) select ${chatId("i")}, ?, lower(hex(randomblob(16))), ${at} from numbers`,
		)
		.bind(RUNS / RUNS_A_CHAT, USER)
		.run();
	await d1
		.prepare(
			`${numbers} insert into workflow_runs
				(id, chat_id, workflow_id, status, started_at, completed_at, steps, revision, created_at)
			select printf('00000001-0000-4000-8000-%012x', i), ${chatId(`i / ${RUNS_A_CHAT}`)}, ${chatId("0")}, 'completed',
				${at}, '2024-02-04T12:01:30.000Z', ?, 'filled', ${at} from numbers`,
		)
		.bind(RUNS, STEPS)
		.run();
}
