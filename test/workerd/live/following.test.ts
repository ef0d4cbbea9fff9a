import { createExecutionContext, evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import type { Env } from "../../../src/env.ts";
import { Inbox } from "../../../src/live/inbox.ts";
import { scopeOf } from "../../../src/scope.ts";
import { giveUpRuns } from "../../../src/workflow-runs/give-up.ts";
import { pruneRuns } from "../../../src/workflow-runs/prune.ts";
import { request, requestWith, runsPath, signIn, storedSession, uuid } from "../helpers.ts";
import { type OwnedChat, patchRuns, putRun, readList, recording, registeredChat } from "../recording/recorder.ts";
import { reportOf } from "../recording/reports.ts";
import { Follower } from "./follower.ts";
import { hubOf } from "./hub.ts";
import { closeStreams } from "./streams.ts";
import { recordAs01 } from "./version-01.ts";

const WORKFLOW = "c2d29867-3d0b-4497-9191-18a9d8ee7830";
const CLIENTS = 2;
const RUNS = 3;

const now = Date.now.bind(Date);
let passed = 0;
const { wait } = Inbox.prototype;

const owner = { user: uuid(), cookie: "" };
beforeAll(async () => {
	const { cookie, token } = await signIn(owner.user);
	owner.cookie = cookie;
	// The clock goes on by minutes for each time that streams are waited for.
	const expiresAt = new Date(Date.now() + 604_800_000).toISOString();
	await env.SESSIONS.put(token, JSON.stringify(storedSession(owner.user, token, { expiresAt })));
	vi.spyOn(console, "log").mockImplementation(() => {});
	vi.spyOn(console, "error").mockImplementation(() => {});
	vi.spyOn(Date, "now").mockImplementation(() => now() + passed);
	// Timers are left alone, since a hub's must not fire in another's context: streams look at the clock more often.
	vi.spyOn(Inbox.prototype, "wait").mockImplementation(function (this: Inbox, milliseconds: number) {
		return wait.call(this, Math.min(milliseconds, 20));
	});
});
afterAll(async () => {
	await closeStreams();
	vi.restoreAllMocks();
});

/** What becomes of the next message that reaches a stream. */
type Fate = "passed" | "lost" | "doubled" | "late";
const put = Inbox.prototype.put;
let fates: Fate[] = [];
const held = new Map<Inbox, string>();
vi.spyOn(Inbox.prototype, "put").mockImplementation(function (this: Inbox, text: string) {
	const late = held.get(this);
	held.delete(this);
	const fate = fates.shift() ?? "passed";
	if (fate === "late") held.set(this, text);
	if (fate === "passed" || fate === "doubled") put.call(this, text);
	if (fate === "doubled") put.call(this, text);
	// Behind the next one.
	if (late !== undefined) put.call(this, late);
});

const report = fc.record({ run: fc.nat(RUNS - 1), report: reportOf(WORKFLOW) });
const client = fc.nat(CLIENTS - 1);

/** What happens to a chat that is watched. */
const event = fc.oneof(
	{
		weight: 6,
		arbitrary: fc.record({
			kind: fc.constant("report" as const),
			reports: fc.array(report, { minLength: 1, maxLength: 3 }),
		}),
	},
	{
		weight: 2,
		arbitrary: fc.record({
			kind: fc.constant("at once" as const),
			reports: fc.array(report, { minLength: 2, maxLength: 6 }),
		}),
	},
	{
		weight: 2,
		arbitrary: fc.record({
			kind: fc.constant("round the hub" as const),
			reports: fc.array(report, { minLength: 1, maxLength: 2 }),
		}),
	},
	{
		weight: 2,
		arbitrary: fc.record({
			kind: fc.constant("fates" as const),
			fates: fc.array(fc.constantFrom<Fate>("lost", "doubled", "late"), { minLength: 1, maxLength: 3 }),
		}),
	},
	{ weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("by 0.1", "restored chat") }) },
	{ weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("retention" as const, "given up" as const) }) },
	{
		weight: 2,
		arbitrary: fc.record({
			kind: fc.constant("evicted" as const),
			webSockets: fc.constantFrom("hibernate" as const, "close" as const),
		}),
	},
	{ weight: 2, arbitrary: fc.record({ kind: fc.constant("dropped" as const), client }) },
	{ weight: 3, arbitrary: fc.record({ kind: fc.constant("back" as const), client, states: fc.nat(6) }) },
);
type Event = typeof event extends fc.Arbitrary<infer T> ? T : never;

interface Scene {
	readonly chat: OwnedChat;
	readonly runIds: readonly string[];
	readonly followers: readonly Follower[];
}

const asRun = ({ runIds }: Scene, { run, report }: { run: number; report: object }) => ({
	id: runIds[run] as string,
	...report,
});

async function happen(scene: Scene, event: Event): Promise<void> {
	const { chat, followers } = scene;
	const { kind } = event;
	if (kind === "report")
		await patchRuns(
			chat.chat,
			event.reports.map((each) => asRun(scene, each)),
		);
	else if (kind === "at once") {
		const runs = event.reports.map((each) => asRun(scene, each));
		await Promise.all(runs.map((run) => putRun(chat.chat, run.id, run)));
	} else if (kind === "round the hub") {
		const workflowRuns = event.reports.map((each) => asRun(scene, each));
		await requestWith({}, runsPath(chat.chat), recording("PATCH", { workflowRuns }));
	} else if (kind === "fates") fates.push(...event.fates);
	else if (kind === "evicted") await evictDurableObject(hubOf(chat.chat), event).catch(() => {});
	else if (kind === "dropped") await followers[event.client]?.close();
	else if (kind === "back") await followers[event.client]?.open(event.states);
	else if (kind === "by 0.1") await recordAs01(chat.chat, { id: uuid(), status: "running" });
	else if (kind === "given up") {
		const scope = scopeOf({ ...env, GIVE_UP_HOURS: 1 } as Env, createExecutionContext());
		await giveUpRuns(scope, Date.now() + 7_200_000);
	} else if (kind === "retention") {
		for (const follower of followers) follower.isMonotonous = false;
		const scope = scopeOf({ ...env, RETENTION_DAYS: 1 } as Env, createExecutionContext());
		await pruneRuns(scope, Date.parse("2025-01-10"));
	} else {
		const path = `/api/chats/${chat.chat}`;
		await request(path, recording("DELETE"));
		await request(path, recording("PUT", { userId: chat.user, restore: true }));
	}
}

/** The chat's runs as the list has them now, each as its text. */
async function listOf(chat: OwnedChat): Promise<string[]> {
	const written = await request(`/api/chats/${chat.chat}`, recording("PUT", { userId: chat.user }));
	const { workflowRuns } = await readList(chat, written);
	return workflowRuns.map((run) => JSON.stringify(run)).sort();
}

it("is as the list is in the end, and on the way nothing is lost, told twice or taken back", async () => {
	await fc.assert(
		fc.asyncProperty(fc.array(event, { minLength: 5, maxLength: 16 }), async (events) => {
			fates = [];
			held.clear();
			const chat = await registeredChat(owner);
			const followers = Array.from({ length: CLIENTS }, () => new Follower(chat));
			const scene = { chat, runIds: Array.from({ length: RUNS }, uuid), followers };
			for (const follower of followers) await follower.open();
			for (const each of events) await happen(scene, each);
			fates = [];
			const list = await listOf(chat);
			for (const follower of followers) if (!follower.isOpen) await follower.open();
			// What nobody was told of, streams find within a minute.
			await vi.waitFor(
				async () => {
					passed += 5_000;
					for (const follower of followers) if (!follower.hasFault) expect(follower.texts).toEqual(list);
				},
				{ timeout: 20_000 },
			);
			for (const follower of followers) await follower.verdict();
		}),
		{ numRuns: 12, endOnFailure: true },
	);
}, 120_000);
