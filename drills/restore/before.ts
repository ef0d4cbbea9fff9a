import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { OPERATOR_TOKEN, type Scene, USER } from "../scene.ts";
import { bearer, runsPath, send, until } from "../service.ts";
import type { Stage } from "../stage.ts";
import { Stream } from "../stream.ts";
import { Watchers } from "./watchers.ts";

/** Whose chat is erased after the point. */
const ERASED = "grace";

/** Of the busy one runs are reported after the restore, too; of the idle one none. */
export const CHATS = {
	busy: randomUUID(),
	idle: randomUUID(),
	deleted: randomUUID(),
	erased: randomUUID(),
	late: randomUUID(),
};
export const RUNS = {
	busy: randomUUID(),
	busyLate: randomUUID(),
	idle: randomUUID(),
	idleLate: randomUUID(),
	late: randomUUID(),
};

export async function begin(stage: Stage, { recorder, service }: Scene): Promise<void> {
	stage.step("Chats have runs that are under way. This is the point to come back to.");
	await recorder.report(CHATS.busy, RUNS.busy, ["one"]);
	await recorder.report(CHATS.idle, RUNS.idle, ["one"]);
	for (const [chat, userId] of [
		[CHATS.deleted, USER],
		[CHATS.erased, ERASED],
	]) {
		assert.equal((await service.write("PUT", `/api/chats/${chat}`, { userId })).status, 201);
	}
}

export async function goOn(stage: Stage, { recorder, service }: Scene): Promise<void> {
	stage.step("Time goes by: runs end and begin, a chat is deleted, a user erased, a chat registered.");
	await recorder.report(CHATS.busy, RUNS.busy, ["one", "two"], true);
	await recorder.report(CHATS.busy, RUNS.busyLate, []);
	await recorder.report(CHATS.busy, RUNS.busyLate, ["one"]);
	await recorder.report(CHATS.idle, RUNS.idle, ["one"], true);
	await recorder.report(CHATS.idle, RUNS.idleLate, []);
	await recorder.report(CHATS.late, RUNS.late, ["one"]);
	assert.equal((await service.write("DELETE", `/api/chats/${CHATS.deleted}`)).status, 204);
	assert.equal(await erase(service.url), 1);
	for (const chat of [CHATS.busy, CHATS.idle]) {
		await until("the later state is in the cache", async () => (await service.list(chat)).length === 2);
	}
}

/** @returns of how many chats the receipt tells */
export async function erase(url: URL): Promise<number> {
	const { status, text } = await send(url, `/api/users/${ERASED}`, {
		method: "DELETE",
		headers: bearer(OPERATOR_TOKEN),
	});
	assert.equal(status, 200, text);
	return JSON.parse(text).data.chats;
}

export interface Watching {
	readonly watchers: Watchers;
	readonly streams: Readonly<Record<"busy" | "idle" | "run" | "late", Stream>>;
}

export async function openAll(stage: Stage, { service, cookie }: Scene): Promise<Watching> {
	stage.step("Readers of every kind are there, with caches warm and streams open.");
	const late = { runs: [RUNS.busyLate, RUNS.idleLate, RUNS.late], ended: [RUNS.busy, RUNS.idle] };
	const watchers = new Watchers(service, late);
	stage.atEnd(() => watchers.stop().catch(() => {}));
	watchers.watch("busy chat", CHATS.busy, cookie);
	watchers.watch("idle chat", CHATS.idle, cookie);
	watchers.watchAll();
	const open = (path: string) => Stream.open(stage, new URL(`${path}/stream`, service.url), cookie);
	const streams = {
		busy: open(runsPath(CHATS.busy)),
		idle: open(runsPath(CHATS.idle)),
		run: open(`${runsPath(CHATS.idle)}/${RUNS.idleLate}`),
		late: open(runsPath(CHATS.late)),
	};
	for (const stream of Object.values(streams)) await stream.movesOn(undefined);
	await watchers.sawLater();
	return { watchers, streams };
}
