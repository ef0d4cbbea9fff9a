import { MIGRATIONS_OF_01, migrate } from "../../lab/seed.ts";
import { copyDatabase, fileOf } from "../database.ts";
import { openScene } from "../scene.ts";
import { until } from "../service.ts";
import type { Drill, Stage } from "../stage.ts";
import { beforeAnUpgrade, changeOf, comeBack, deletedAndLate, everybodyIsRestored, useNumbersAgain } from "./after.ts";
import { begin, CHATS, goOn, openAll } from "./before.ts";

export const restore: Drill = {
	about: "put the database back to an earlier point, under readers, streams and recorders",
	waits: true,
	run,
};

async function run(stage: Stage): Promise<void> {
	const scene = await openScene(stage, { migrations: MIGRATIONS_OF_01 });
	const { d1, service } = scene;
	const database = fileOf(stage.state, "d1/miniflare-D1DatabaseObject");
	/** Keeps what the database is now. @returns puts it back, in place, as Time Travel does */
	const keep = async (name: string) => {
		const copy = stage.file(name);
		await copyDatabase(database, copy);
		return () => copyDatabase(copy, database);
	};

	const restoreOf01 = await keep("of-01.sqlite");
	await migrate(d1);
	await begin(stage, scene);
	const restoreEarlier = await keep("earlier.sqlite");
	const earlier = await changeOf(scene, CHATS.busy);
	await goOn(stage, scene);
	const restoreLater = await keep("later.sqlite");
	const later = await changeOf(scene, CHATS.busy);
	stage.seen(`the busy chat's change number went from ${earlier} to ${later}`);
	const watching = await openAll(stage, scene);
	const { busy, idle } = watching.streams;
	const before = { busy: busy.place, idle: idle.place };

	stage.step("The database is restored, in place. Nothing is stopped, and nothing is told of it.");
	const begun = Date.now();
	await restoreEarlier();
	const restored = { begun, over: Date.now() };
	await useNumbersAgain(stage, scene, later);
	await everybodyIsRestored(stage, scene, watching, before, restored);
	await comeBack(stage, scene, before);
	await watching.watchers.stop();
	await deletedAndLate(stage, scene);

	stage.step("The restore is undone: the database is put forward again.");
	const meanwhile = { busy: busy.place, idle: idle.place };
	await restoreLater();
	for (const chat of [CHATS.busy, CHATS.idle]) {
		await until("readers see the later state", async () => (await service.list(chat)).length === 2);
	}
	await comeBack(stage, scene, meanwhile);

	await beforeAnUpgrade(stage, scene, restoreOf01);
}
