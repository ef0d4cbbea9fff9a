import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { createReadToken } from "#recorder/index.ts";
import { migrate, seedSession } from "../lab/seed.ts";
import { startVersions, storesOf } from "../lab/server.ts";
import { USER } from "./scene.ts";
import { bearer, type Headed, runsPath, Service, send } from "./service.ts";
import type { Drill, Stage } from "./stage.ts";
import { Tab } from "./tab.ts";

export const secrets: Drill = {
	about: "change every secret without refusing anybody",
	run,
};

const NAMES = ["BETTER_AUTH_SECRET", "READ_TOKEN_SECRET", "RECORDER_TOKENS", "OPERATOR_TOKENS"] as const;
type Name = (typeof NAMES)[number];
type Kind = "old" | "new";

const secretOf = (name: Name, kind: Kind) => `the-${kind}-one-of-${name}-0123456789-0123456789`;
const setTo = (value: (name: Name) => string) => Object.fromEntries(NAMES.map((name) => [name, value(name)]));

/** The Worker's secrets after each step. On the way from one to the next, Cloudflare runs both versions. */
const VERSIONS = {
	before: setTo((name) => secretOf(name, "old")),
	between: setTo((name) => `${secretOf(name, "new")},${secretOf(name, "old")}`),
	after: setTo((name) => secretOf(name, "new")),
};
type Version = keyof typeof VERSIONS;

const CHAT = randomUUID();
const ROUNDS = 25;

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
	const holders = await makeHolders(kv);
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

/** Who shows a secret, or what was signed by it. */
interface Holder extends Readonly<Record<Kind, Headed>> {
	readonly name: Name;
	/** @returns the answer's status */
	ask(url: URL, headers: Headed): Promise<number>;
}

interface Holders {
	readonly all: readonly Holder[];
	/** Who reads by a read token. */
	readonly reader: Readonly<Record<Kind, Headed>>;
}

async function makeHolders(kv: Awaited<ReturnType<typeof storesOf>>["kv"]): Promise<Holders> {
	const get = (path: string) => async (url: URL, headers: Headed) => (await send(url, path, { headers })).status;
	const read = get("/api/workflow-runs");
	const register = async (url: URL, headers: Headed) => {
		const sent = { ...headers, "content-type": "application/json" };
		const body = JSON.stringify({ userId: USER });
		return (await send(url, `/api/chats/${CHAT}`, { method: "PUT", headers: sent, body })).status;
	};
	const both = async (name: Name, make: (secret: string) => Promise<Headed>) => ({
		name,
		old: await make(secretOf(name, "old")),
		new: await make(secretOf(name, "new")),
	});
	const cookies = await both("BETTER_AUTH_SECRET", async (secret) => ({
		cookie: await seedSession(kv, secret, USER),
	}));
	const readTokens = await both("READ_TOKEN_SECRET", async (secret) =>
		bearer(await createReadToken({ secret, userId: USER })),
	);
	const recorders = await both("RECORDER_TOKENS", async (token) => bearer(token));
	const operators = await both("OPERATOR_TOKENS", async (token) => bearer(token));
	return {
		all: [
			{ ...cookies, ask: read },
			{ ...readTokens, ask: read },
			{ ...recorders, ask: register },
			{ ...operators, ask: get("/api/admin/health") },
		],
		reader: readTokens,
	};
}

/** All holders ask all of these versions, by what they have of these kinds, many times at once. @returns answers, counted */
async function askAll(
	{ all }: Holders,
	urls: Readonly<Record<Version, URL>>,
	versions: readonly Version[],
	kinds: readonly Kind[],
): Promise<Map<string, number>> {
	const statuses = new Map<string, number>();
	const askers = versions.flatMap((version) =>
		kinds.flatMap((kind) => all.map((holder) => ({ version, kind, holder }))),
	);
	const asking = askers.map(async ({ version, kind, holder }) => {
		for (let round = 0; round < ROUNDS; round++) {
			const status = await holder.ask(urls[version], holder[kind]);
			const answer = `${holder.name}, ${kind}, ${version}: ${status}`;
			statuses.set(answer, (statuses.get(answer) ?? 0) + 1);
		}
	});
	await Promise.all(asking);
	return statuses;
}
