import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { D1 } from "./database.ts";
import { openScene, type Scene, USER } from "./scene.ts";
import { type Answer, codeIn, runsPath, until } from "./service.ts";
import type { Drill, Stage } from "./stage.ts";
import { Tab } from "./tab.ts";

export const d1Full: Drill = {
	about: "fill D1 up, then have it refuse every write; make room, and let it write again",
	run,
};

const [CHAT, NEW_CHAT, OLD] = [randomUUID(), randomUUID(), randomUUID()];
const RUNS = Array.from({ length: 20 }, () => randomUUID());

/*
 * Neither D1 nor the local one can be told to be full or read-only. Triggers refuse what each of the two refuses, by D1's
 * own words. Deleting needs no room.
 */
const trigger = (name: string, before: string, words: string) =>
	`create trigger refuse_${name} before ${before} begin select raise(abort, '${words}'); end`;
const FULL = {
	chats: "insert on chats",
	runs: "insert on workflow_runs",
	steps: "update on workflow_runs when length(new.steps) > length(old.steps)",
};
const READ_ONLY = Object.fromEntries(
	["insert", "update", "delete"].flatMap((what) =>
		["chats", "workflow_runs"].map((table) => [`${what}_${table}`, `${what} on ${table}`]),
	),
);

/** Has D1 refuse writes. @returns has it take them again */
async function refuse(d1: D1, what: Readonly<Record<string, string>>, words: string): Promise<() => Promise<unknown>> {
	await d1.batch(Object.entries(what).map(([name, before]) => d1.prepare(trigger(name, before, words))));
	return () => d1.batch(Object.keys(what).map((name) => d1.prepare(`drop trigger refuse_${name}`)));
}

async function run(stage: Stage): Promise<void> {
	const scene = await openScene(stage, { vars: { RETENTION_DAYS: "1" } });
	const { d1, service, cookie, recorder } = scene;

	stage.step("An engine reports runs, and somebody looks on. One run is older than RETENTION_DAYS.");
	report(scene, 1);
	await recorder.recorder.flush();
	assert.equal((await putRun(scene, OLD)).status, 201);
	// Nobody can wait for it to come of age, and a report as old as that would not be stored.
	await d1
		.prepare("update workflow_runs set started_at = ?1, completed_at = ?1, told_at = ?1 where id = ?2")
		.bind("2024-02-04T12:00:00.000Z", OLD)
		.run();
	const tab = new Tab(stage, service.url, CHAT, () => cookie);
	await tab.shows(service);

	stage.step("D1 is full: it refuses what needs more room.");
	const makeRoom = await refuse(d1, FULL, "Exceeded maximum DB size");
	await areUnavailable([await putRun(scene, randomUUID()), await register(scene)]);
	await readsAreThere(scene);
	stage.seen("reports and registrations: 503 with Retry-After; every read: 200");
	await keeps(stage, scene, 2);
	await scene.runCron();
	assert.equal((await service.read(`${runsPath(CHAT)}/${OLD}`)).status, 404);
	stage.seen("retention, which only deletes, has made room");

	stage.step("There is room again.");
	await makeRoom();
	await delivers(stage, scene, tab, 2);

	stage.step("D1 refuses every write.");
	const takeAgain = await refuse(d1, READ_ONLY, "attempt to write a readonly database");
	const deletion = await service.write("DELETE", `/api/chats/${CHAT}`);
	await areUnavailable([await putRun(scene, randomUUID()), await register(scene), deletion]);
	await readsAreThere(scene);
	stage.seen("reports, registrations and deletions: 503 with Retry-After; every read: 200");
	await keeps(stage, scene, 3);

	stage.step("D1 takes writes again.");
	await takeAgain();
	await delivers(stage, scene, tab, 3);
	const found = await d1.prepare("select count(*) as n from chats where id = ?").bind(NEW_CHAT).first("n");
	assert.equal(found, 0);
	stage.seen("of what was refused, and nobody sent again, nothing was done");
	tab.wasNeverRefused();
	assert.equal(recorder.errors.length, 1);
}

/** Reports all runs, with this number of steps. */
function report({ recorder }: Scene, steps: number): void {
	const ids = Array.from({ length: steps }, (_, i) => `step ${i + 1}`);
	for (const id of RUNS) recorder.add(CHAT, id, ids);
}

function putRun({ service }: Scene, id: string): Promise<Answer> {
	const at = new Date().toISOString();
	const run = { workflowId: CHAT, status: "completed", startedAt: at, completedAt: at };
	return service.write("PUT", `${runsPath(CHAT)}/${id}`, run);
}

const register = ({ service }: Scene) => service.write("PUT", `/api/chats/${NEW_CHAT}`, { userId: USER });

async function areUnavailable(answers: readonly Answer[]): Promise<void> {
	for (const answer of answers) {
		const retryAfter = Number(answer.headers.get("retry-after"));
		assert.deepEqual([answer.status, codeIn(answer), retryAfter], [503, "STORE_UNAVAILABLE", 2]);
	}
}

/** Each way of reading, from the cache and from D1. */
async function readsAreThere({ service }: Scene): Promise<void> {
	const run = `${runsPath(CHAT)}/${RUNS[0]}`;
	const paths = [runsPath(CHAT), `${runsPath(CHAT)}?limit=5`, run, "/api/workflow-runs", "/api/workflow-runs/active"];
	for (let seconds = 0; seconds < 2; seconds++) {
		const answers = await Promise.all(paths.map((path) => service.read(path)));
		assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
		await sleep(1_000);
	}
}

/** Reports are refused until the recorder says so: it does once an outage, when it has been refused three times in a row. */
async function keeps(stage: Stage, scene: Scene, steps: number): Promise<void> {
	const { recorder, service } = scene;
	recorder.errors.length = 0;
	const before = recorder.requests;
	report(scene, steps);
	await until("the recorder says so", () => recorder.errors.length > 0, 30);
	const [{ kind, message } = assert.fail()] = recorder.errors;
	assert.equal(kind, "unreachable");
	assert.equal(
		(await service.list(CHAT)).some((run) => run.steps.length === steps),
		false,
	);
	stage.seen(`the recorder was refused ${recorder.requests - before} times, keeps what it has, and says: ${message}`);
}

async function delivers(stage: Stage, { service }: Scene, tab: Tab, steps: number): Promise<void> {
	const areThere = async () =>
		(await service.list(CHAT)).filter((run) => run.steps.length === steps).length === RUNS.length;
	const waited = await until("the recorder's reports are there", areThere, 40);
	await tab.shows(service);
	stage.seen(`after ${waited} ms the recorder has delivered all by itself, and the tab shows it`);
}
