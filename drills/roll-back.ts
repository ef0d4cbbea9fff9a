import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { migrate, seedSession } from "../lab/seed.ts";
import { startVersions, storesOf } from "../lab/server.ts";
import { countOfWrongUserRuns } from "./database.ts";
import { Load } from "./load.ts";
import { Recording, SECRET, TOKEN, USER } from "./scene.ts";
import { Service } from "./service.ts";
import type { Drill, Stage } from "./stage.ts";
import { Tab } from "./tab.ts";

export const rollBack: Drill = {
	about: "go back to version 0.1 on the new tables, and forward again, under load",
	run,
};

const CHATS = Array.from({ length: 5 }, () => randomUUID());
/** The chat of a run that says more than 0.1 knows. */
const RICH = randomUUID();
/** How long each stage of the deployments goes on under load. */
const MILLISECONDS = 2_000;

async function run(stage: Stage): Promise<void> {
	const { bundles, state } = stage;
	const vars = { RECORDER_TOKENS: TOKEN };
	const { urls, miniflare, dispose } = await startVersions(
		{
			ours: { bundle: "ours", code: bundles.ours, vars },
			"0.1": { bundle: "version 1", code: bundles["version 1"], vars },
		},
		{ state, secret: SECRET, onLog: stage.log },
	);
	stage.atEnd(dispose);
	const { d1, kv } = await storesOf(miniflare, "ours");
	await migrate(d1);
	const reader = { cookie: await seedSession(kv, SECRET, USER) };
	const ours = new Service(urls.ours, reader, TOKEN);
	const old = new Service(urls["0.1"], reader, TOKEN);
	for (const chat of [...CHATS, RICH]) {
		assert.equal((await ours.write("PUT", `/api/chats/${chat}`, { userId: USER })).status, 201);
	}
	const [chat] = CHATS as [string];
	const tab = new Tab(stage, urls.ours, chat, () => reader);
	const load = new Load(CHATS, [ours]);
	stage.atEnd(() => load.stop().catch(() => {}));
	load.start(4, 4);
	/** Goes on for a while with these versions. */
	const serveBy = async (what: string, ...services: Service[]) => {
		stage.step(what);
		load.services = services;
		const [last] = services.slice(-1) as [Service];
		tab.moveTo(last.url);
		await sleep(MILLISECONDS);
		stage.seen(load.takeAnswers());
	};

	await serveBy("This version serves. Runs are recorded, read and followed.", ours);
	const rich = await reportRich(stage, ours);
	await serveBy("It is rolled back. While that spreads, both versions write the same runs.", ours, old);
	await serveBy("0.1 serves alone, on tables that it does not know.", old);
	await rich.endBy(old);
	await serveBy("This version is deployed again. While that spreads, both serve.", old, ours);
	await serveBy("This version serves alone.", ours);
	await load.stop();

	stage.step("Nothing is lost, doubled or wrong.");
	stage.seen(`all ${await load.compare(ours)} runs are as they were reported, by either version`);
	await load.compare(old);
	tab.wasNeverRefused();
	stage.seen(`the tab, whose line was cut at each deployment, shows all ${await tab.shows(ours)} runs of its chat`);
	assert.equal(await countOfWrongUserRuns(d1), 0);
	stage.seen("the table of users' runs, which 0.1 does not know, has an entry for each");
	await rich.compare(ours);
}

const AT = "2026-11-24T12:00:00.000Z";

/** A run that says more than 0.1 knows, reported by the package's recorder. */
async function reportRich(stage: Stage, service: Service) {
	let { url } = service;
	const redirect: typeof fetch = (input, init) => fetch(new URL(new URL(String(input)).pathname, url), init);
	const { recorder, errors } = new Recording(stage, { url: url.href, fetch: redirect });
	const [running, completed] = [{ status: "running" }, { status: "completed", completedAt: AT }] as const;
	const run = { id: randomUUID(), workflowId: RICH, startedAt: AT, workflowName: "Answer", messageId: "message 1" };
	const step = (id: string, position: number) => ({ id, name: "Search", position, startedAt: AT });
	const first = { ...step("first", 0), ...completed, attempt: 2, output: { pages: 3 } };
	recorder.report({ chatId: RICH, run: { ...run, ...running, steps: [first, { ...step("second", 1), ...running }] } });
	await recorder.flush();
	assert.equal(errors.length, 0);
	return {
		async endBy(old: Service) {
			({ url } = old);
			const second = { ...step("second", 1), ...completed, output: "found" };
			recorder.report({ chatId: RICH, run: { ...run, ...completed, output: "done", steps: [second] } });
			await recorder.flush();
			assert.deepEqual(
				errors.map(({ kind }) => kind),
				["warning"],
			);
			stage.seen(`the recorder went on with less, and said: ${errors[0]?.message}`);
		},
		async compare(ours: Service) {
			const steps = [step("first", 0), step("second", 1)].map((each) => ({ ...each, ...completed }));
			assert.deepEqual(await ours.list(RICH), [{ ...run, chatId: RICH, ...completed, steps }]);
			stage.seen("of the run that said more, 0.1 has kept the run's fields, and dropped the steps' and its outputs");
		},
	};
}
