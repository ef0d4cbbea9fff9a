import { env } from "cloudflare:workers";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { eventually, requestWith, runsPath, uuid } from "../helpers.ts";
import { type OwnedChat, putRun, registeredChat, report } from "../recording/recorder.ts";
import { watchersOf } from "./hub.ts";
import { closeStreams, open } from "./streams.ts";

/* The database is put back to an earlier point. `npm run drill -- restore` does it to a whole database, under load. */

beforeAll(() => {
	vi.spyOn(console, "log").mockImplementation(() => {});
});
afterEach(() => closeStreams());
afterAll(() => vi.restoreAllMocks());

const running = (more: Record<string, unknown> = {}) => report({ status: "running", completedAt: null, ...more });

/** A D1 whose bookmarks say nothing: those of a database that took another's place may begin anew. */
const DB = new Proxy(env.DB, {
	get: (_, name) => (name === "withSession" ? session : Reflect.get(env.DB, name).bind(env.DB)),
});
const session = (constraint: string) => {
	const real = env.DB.withSession(constraint);
	const getBookmark = () => `00000000-00000001-00000000-${"0".repeat(32)}`;
	return new Proxy(real, {
		get: (_, name) => (name === "getBookmark" ? getBookmark : Reflect.get(real, name).bind(real)),
	});
};
const FRESH = { DB, FRESH_SECONDS: 60 };

/** A chat with one run, of whose later state with two runs a fresh copy is there. `restore` puts it back to one run. */
async function chatWithLaterCopy() {
	const owned = await registeredChat();
	const [kept, lost] = [uuid(), uuid()];
	await putRun(owned.chat, kept, running());
	const { change, revision, floor, trail } = await env.DB.prepare("select * from chats where id = ?")
		.bind(owned.chat)
		.first<Record<string, unknown>>()
		.then((row) => row ?? {});
	await putRun(owned.chat, lost, running());
	const read = async () => {
		const response = await requestWith(FRESH, runsPath(owned.chat), { headers: { cookie: owned.cookie } });
		return (await response.json<{ data: { workflowRuns: unknown[] } }>()).data.workflowRuns.length;
	};
	await eventually(async () => expect(await read()).toBe(2));
	const restore = () =>
		env.DB.batch([
			env.DB.prepare("delete from workflow_runs where id = ?").bind(lost),
			env.DB.prepare("update chats set change = ?, revision = ?, floor = ?, trail = ? where id = ?").bind(
				...[change, revision, floor, trail, owned.chat],
			),
		]);
	return { owned, kept, restore, read };
}

const idsIn = (data: string): string[] => JSON.parse(data).workflowRuns.map(({ id }: { id: string }) => id);
const follow = (owned: OwnedChat, headers = {}) => open(owned, { bindings: FRESH, headers });

describe("where the database is put back, and a copy of the later state is fresh, with a bookmark no older", () => {
	it("a stream tells the restored state as soon as change numbers pass those that it has", async () => {
		const { owned, kept, restore, read } = await chatWithLaterCopy();
		const stream = await follow(owned);
		expect(idsIn((await stream.next()).data)).toHaveLength(2);
		await eventually(async () => expect(await watchersOf(owned.chat)).toBe(1));
		await restore();
		expect(await read()).toBe(2);
		for (const step of ["a", "b"]) {
			await putRun(
				owned.chat,
				kept,
				running({ steps: [{ id: step, status: "running", startedAt: null, completedAt: null }] }),
			);
		}
		const event = await stream.next();
		expect([event.event, idsIn(event.data)]).toEqual(["snapshot", [kept]]);
	});

	it("a client that comes back with the later state's id gets the restored state at once", async () => {
		const { owned, kept, restore } = await chatWithLaterCopy();
		const before = await follow(owned);
		const { id = "" } = await before.next();
		await before.close();
		await restore();
		const stream = await follow(owned, { "last-event-id": id });
		const event = await stream.next();
		expect([event.event, idsIn(event.data)]).toEqual(["snapshot", [kept]]);
	});
});
