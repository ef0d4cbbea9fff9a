import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { compareRuns } from "#protocol/order.ts";
import type { WorkflowRun } from "../../src/workflow-runs/schemas.ts";
import { serveD1Api } from "../cloudflare.ts";
import { npmRun } from "../npm.ts";
import { type Scene, USER } from "../scene.ts";
import { codeIn, runsIn, runsPath, until } from "../service.ts";
import type { Stage } from "../stage.ts";
import { type Place, Stream } from "../stream.ts";
import { CHATS, erase, RUNS, type Watching } from "./before.ts";
import type { Span } from "./watchers.ts";

/** A stream looks once a minute whether its state is still the chat's. */
const SAFETY_NET_SECONDS = 65;

/** A bookmark that this database will not have for a long time. */
const FUTURE_BOOKMARK = "0fffffff-00000000-00000000-00000000000000000000000000000000";

export const changeOf = async ({ d1 }: Scene, chat: string): Promise<number> =>
	(await d1.prepare("select change from chats where id = ?").bind(chat).first<number>("change")) ?? 0;

/** @param last the change number up to which they were used before */
export async function useNumbersAgain(stage: Stage, scene: Scene, last: number): Promise<void> {
	stage.step("Recorders go on, so that change numbers are used again.");
	const { service, recorder } = scene;
	await recorder.report(CHATS.busy, RUNS.busy, ["again"]);
	const run = await service.read(`${runsPath(CHATS.busy)}/${RUNS.busy}`);
	const { status, steps } = JSON.parse(run.text).data.workflowRun as WorkflowRun;
	assert.deepEqual([status, ...steps.map(({ id }) => id).sort()], ["running", "again", "one"]);
	stage.seen("a report was merged into the restored run, not into the one that the hub remembered");
	while ((await changeOf(scene, CHATS.busy)) <= last) {
		await recorder.report(CHATS.busy, RUNS.busy, [randomUUID()]);
	}
	stage.seen(`the busy chat's change number is ${await changeOf(scene, CHATS.busy)} again`);
}

/** What clients of both chats had. */
export type Places = Readonly<Record<"busy" | "idle", Place>>;

export async function everybodyIsRestored(
	stage: Stage,
	{ service }: Scene,
	{ watchers, streams }: Watching,
	later: Places,
	restored: Span,
): Promise<void> {
	stage.step("Everybody gets the restored state, nobody a mix of both, and nobody goes back.");
	stage.seen(await watchers.allRestored(restored));
	for (const name of ["busy", "idle"] as const) {
		const { runs } = await streams[name].movesOn(later[name], SAFETY_NET_SECONDS);
		assert.equal(runs.size, 1);
	}
	assert.deepEqual(listed(streams.idle.place), await service.list(CHATS.idle));
	const ends = [await streams.run.ended(SAFETY_NET_SECONDS), await streams.late.ended(SAFETY_NET_SECONDS)];
	assert.deepEqual(ends, ["run_ended", "chat_deleted"]);
	stage.seen(`the streams of a run and of a chat that are gone have ended: ${ends.join(", ")}`);
}

/** @param from what clients had before */
export async function comeBack(stage: Stage, { service, cookie }: Scene, from: Places): Promise<void> {
	stage.step("Clients come back with event ids and bookmarks that the database does not have.");
	for (const name of ["busy", "idle"] as const) {
		const url = new URL(`${runsPath(CHATS[name])}/stream`, service.url);
		const stream = Stream.open(stage, url, cookie, from[name]);
		assert.deepEqual(listed(await stream.movesOn(from[name])), await service.list(CHATS[name]));
		stage.seen(
			`the ${name} chat's client gets at once what is there now, by ${stream.events.map(({ event }) => event)}`,
		);
	}
	const bookmarked = await service.read(runsPath(CHATS.idle), { "x-d1-bookmark": FUTURE_BOOKMARK });
	assert.deepEqual(runsIn(bookmarked), await service.list(CHATS.idle));
}

/** What a client has, as the list has it. */
const listed = ({ runs }: Place): WorkflowRun[] => [...runs.values()].sort(compareRuns);

export async function deletedAndLate(stage: Stage, { service, recorder }: Scene): Promise<void> {
	stage.step("What was deleted or erased since is there again, and what was registered since is gone.");
	assert.equal((await service.read(runsPath(CHATS.deleted))).status, 200);
	assert.deepEqual([await erase(service.url), await erase(service.url)], [1, 0]);
	stage.seen("the user who was erased was there again, and is erased again");
	assert.equal(codeIn(await service.read(runsPath(CHATS.late))), "CHAT_NOT_FOUND");
	await recorder.report(CHATS.late, RUNS.late, ["two"], true);
	assert.deepEqual(recorder.errors, []);
	const [run] = await service.list(CHATS.late);
	assert.deepEqual([run?.id, run?.status, run?.steps.map(({ id }) => id)], [RUNS.late, "completed", ["two"]]);
	stage.seen("the recorder, which knows the chat's owner, has registered it again with its next report");
}

/** @param restore puts the database back to a point at which it was 0.1's */
export async function beforeAnUpgrade(
	stage: Stage,
	{ d1, service }: Scene,
	restore: () => Promise<void>,
): Promise<void> {
	stage.step("The database is restored to a point before an upgrade: it lacks migrations.");
	await restore();
	const health = async () => JSON.parse((await service.read("/api/health")).text);
	await until("/api/health says so", async () => (await health()).checks.migrations === "failing");
	const answers = await Promise.all([
		service.read("/api/workflow-runs"),
		service.read(`${runsPath(CHATS.deleted)}/${randomUUID()}`),
		service.write("PUT", `/api/chats/${CHATS.late}`, { userId: USER }),
	]);
	assert.deepEqual(
		answers.map(codeIn),
		answers.map(() => "STORE_UNAVAILABLE"),
	);
	stage.seen('/api/health says "migrations": "failing", and D1 is asked in vain: 503, to be tried again');
	const api = await serveD1Api(d1, "edge-runs");
	stage.atEnd(api.close);
	await npmRun("db:migrate", api.env);
	await until("/api/health is well", async () => (await health()).status === "ok");
	assert.equal((await service.write("PUT", `/api/chats/${CHATS.late}`, { userId: USER })).status, 201);
	assert.deepEqual(await service.list(CHATS.late), []);
	stage.seen("after npm run db:migrate all is well");
}
