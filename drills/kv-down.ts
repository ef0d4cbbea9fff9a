import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { createReadToken } from "#recorder/index.ts";
import { fileOf } from "./database.ts";
import { OPERATOR_TOKEN, openScene, READ_SECRET, USER } from "./scene.ts";
import { bearer, codeIn, type Headed, runsPath, send, until } from "./service.ts";
import type { Drill, Stage } from "./stage.ts";
import { Stream } from "./stream.ts";
import { Tab } from "./tab.ts";

export const kvDown: Drill = {
	about: "lose KV, the store of sessions, for more than a minute",
	waits: true,
	run,
};

/** A stream checks its session once a minute. */
const CHECK_SECONDS = 62;
const [CHAT, RUN] = [randomUUID(), randomUUID()];

async function run(stage: Stage): Promise<void> {
	const scene = await openScene(stage);
	const { service, cookie, recorder } = scene;
	// The local KV may be at it: whoever comes second waits.
	const database = new DatabaseSync(fileOf(stage.state, "kv/miniflare-KVNamespaceObject"), { timeout: 5_000 });
	stage.atEnd(() => database.close());
	const token = bearer(await createReadToken({ secret: READ_SECRET, userId: USER }));
	const tell = (steps: string[]) => recorder.report(CHAT, RUN, steps);
	const stream = new URL(`${runsPath(CHAT)}/stream`, service.url);

	stage.step("A user reads and follows a chat by a session cookie, another app's user by a read token.");
	await tell(["one"]);
	for (const reader of [cookie, token]) await everyRead(service.url, reader, "200");
	const follower = Stream.open(stage, stream, cookie);
	const tab = new Tab(stage, service.url, CHAT, () => cookie);
	await follower.movesOn(undefined);
	await tab.shows(service);

	stage.step("KV fails each call.");
	// Another one in its place, or the local KV would make an empty one, and know no session.
	database.exec("begin immediate; alter table _mf_entries rename to kept; create table _mf_entries (other); commit");
	await everyRead(service.url, cookie, "503 STORE_UNAVAILABLE, again after 2 s");
	stage.seen("a cookie: 503 with Retry-After on every read, never 401: nobody is signed out");
	const forged = { cookie: cookie.cookie.replace(/.{8}$/, "AAAAA%3D") };
	for (const stranger of [{}, forged]) await everyRead(service.url, stranger, "401 INVALID_SESSION");
	stage.seen("no cookie, or a forged one: 401, as always");
	await everyRead(service.url, token, "200");
	const look = await send(service.url, `/api/admin/chats/${CHAT}`, { headers: bearer(OPERATOR_TOKEN) });
	assert.equal(look.status, 200, look.text);
	stage.seen("a read token, and an operator's: 200, as always");
	const health = async () => JSON.parse((await service.read("/api/health")).text).checks.kv;
	await until("/api/health says so", async () => (await health()) === "failing");
	stage.seen('/api/health: 503, "kv": "failing"');

	stage.step("Recorders go on, and open streams with them.");
	await tell(["one", "two"]);
	assert.equal(recorder.errors.length, 0);
	await followerHas(follower, 2);
	tab.moveTo(service.url);
	await until("the tab whose line was cut says what is wrong", () => tab.lossReason === "refused");
	stage.seen("an open stream told the change; a tab whose line was cut now waits, and says that the service fails");

	stage.step("It lasts longer than a minute, in which each stream checks its session.");
	await sleep(CHECK_SECONDS * 1_000);
	await tell(["one", "two", "three"]);
	await followerHas(follower, 3);
	stage.seen("the stream that was open is open, and told a change");

	stage.step("KV is back.");
	database.exec("begin immediate; drop table _mf_entries; alter table kept rename to _mf_entries; commit");
	await everyRead(service.url, cookie, "200");
	const waited = await until("the tab is live again, by itself", () => tab.lossReason === null, 40);
	await tab.shows(service);
	await until("/api/health is well", async () => (await health()) === "ok");
	stage.seen(`every read is a 200; the tab came back by itself after ${Math.round(waited / 1_000)} s`);
}

/** Each way of reading. */
async function everyRead(url: URL, reader: Headed, expected: string): Promise<void> {
	const paths = [
		runsPath(CHAT),
		`${runsPath(CHAT)}?limit=1`,
		`${runsPath(CHAT)}/${RUN}`,
		"/api/workflow-runs",
		"/api/workflow-runs/active",
	];
	const answers = await Promise.all(
		paths.map(async (path) => {
			const answer = await send(url, path, { headers: reader });
			const { status, headers } = answer;
			const retryAfter = headers.get("retry-after");
			const code = status === 200 ? "" : ` ${codeIn(answer)}`;
			return `${path}: ${status}${code}${retryAfter === null ? "" : `, again after ${retryAfter} s`}`;
		}),
	);
	assert.deepEqual(
		answers,
		paths.map((path) => `${path}: ${expected}`),
	);
}

async function followerHas(stream: Stream, steps: number): Promise<void> {
	await until("the stream tells the change", () => stream.place.runs.get(RUN)?.steps.length === steps);
	assert.equal(stream.isOver, false);
}
