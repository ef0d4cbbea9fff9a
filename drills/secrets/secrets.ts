import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { migrate } from "../../lab/seed.ts";
import { startVersions, storesOf } from "../../lab/server.ts";
import { runsPath, Service } from "../service.ts";
import type { Drill, Stage } from "../stage.ts";
import { Tab } from "../tab.ts";
import { askAll, type Kind, makeHolders, secretOf, setTo } from "./holders.ts";

export const secrets: Drill = {
	about: "change every secret without refusing anybody",
	run,
};

/** The Worker's secrets after each step. On the way from one to the next, Cloudflare runs both versions. */
const VERSIONS = {
	before: setTo((name) => secretOf(name, "old")),
	between: setTo((name) => `${secretOf(name, "new")},${secretOf(name, "old")}`),
	after: setTo((name) => secretOf(name, "new")),
};
type Version = keyof typeof VERSIONS;

const CHAT = randomUUID();

async function run(stage: Stage): Promise<void> {
	const { bundles, state } = stage;
	const version = (vars: Record<string, string>) => ({ bundle: "ours", code: bundles.ours, vars }) as const;
	const { urls, miniflare, dispose } = await startVersions(
		{ before: version(VERSIONS.before), between: version(VERSIONS.between), after: version(VERSIONS.after) },
		{ state, secret: "", onLog: stage.log },
	);
	stage.atEnd(dispose);
	const { d1, kv } = await storesOf(miniflare, "before");
	await migrate(d1);
	const holders = await makeHolders(kv, CHAT);
	const service = (version: Version, kind: Kind) =>
		new Service(urls[version], holders.reader[kind], secretOf("RECORDER_TOKENS", kind));
	const ask = (versions: Version[], kinds: Kind[]) => askAll(holders, urls, versions, kinds);
	const answers = async (versions: Version[], kinds: Kind[]) => {
		const statuses = await ask(versions, kinds);
		assert.deepEqual(
			[...statuses.keys()].filter((answer) => !/: 20[01]$/.test(answer)),
			[],
		);
		stage.seen(`${[...statuses.values()].reduce((sum, count) => sum + count)} requests, none refused`);
	};
	const refuses = async (versions: Version[], kinds: Kind[]) => {
		const statuses = await ask(versions, kinds);
		assert.deepEqual(
			[...statuses.keys()].filter((answer) => !/: 401$/.test(answer)),
			[],
		);
	};
	const record = async (by: Service) => {
		const report = { workflowId: CHAT, status: "running", startedAt: new Date().toISOString() };
		assert.equal((await by.write("PUT", `${runsPath(CHAT)}/${randomUUID()}`, report)).status, 201);
	};

	stage.step("Everybody has the old ones. A tab is open.");
	await answers(["before"], ["old"]);
	let kind: Kind = "old";
	const tab = new Tab(stage, urls.before, CHAT, () => holders.reader[kind]);
	await record(service("before", "old"));
	await tab.shows(service("before", "old"));

	stage.step("The new ones are put beside the old ones. While that spreads, some requests get to each version.");
	await answers(["before", "between"], ["old"]);
	tab.moveTo(urls.between);
	await record(service("before", "old"));

	stage.step("It has spread. Apps, engines and operators change over, one by one.");
	await answers(["between"], ["old", "new"]);
	await refuses(["before"], ["new"]);
	stage.seen("whoever had changed over before it had spread would have been refused");
	await record(service("between", "new"));
	kind = "new";

	stage.step("Nobody has an old one any more. They are taken out, which spreads, too.");
	await answers(["between", "after"], ["new"]);
	tab.moveTo(urls.after);

	stage.step("It has spread. The old ones open nothing.");
	await answers(["after"], ["new"]);
	await refuses(["after"], ["old"]);
	await record(service("after", "new"));
	const shown = await tab.shows(service("after", "new"));
	tab.wasNeverRefused();
	stage.seen(`each of the old ones is a 401; the tab has come back by itself twice, and shows all ${shown} runs`);
}
