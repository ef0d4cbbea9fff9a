import { exports } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { request, requestWith, runsPath, uuid } from "../helpers.ts";
import { type OwnedChat, patchRuns, putRun, recording, registeredChat, report } from "../recording/recorder.ts";
import { watchBindings } from "../watch-bindings.ts";
import { eraseChat, eraseUser, operating, receiptOf, rows, storedOf, userPath } from "./operator.ts";

/** An erased chat, and what its recorder knew of it. */
let owned: OwnedChat;
let run: string;
let tombstone: unknown;

const rowOf = async (chat: string) => (await rows("select * from chats where id = ?", chat))[0];

beforeEach(async () => {
	owned = await registeredChat();
	run = uuid();
	// Through its hub, which remembers what it has written.
	await putRun(owned.chat, run, report({ status: "running", completedAt: null }));
});

const register = (userId: string, more: object = {}) =>
	request(`/api/chats/${owned.chat}`, recording("PUT", { userId, ...more }));

async function expectRefused(sent: Promise<Response> | Response, status: number, code: string): Promise<string> {
	const response = await sent;
	const body = await response.json<{ code: string; message: string }>();
	expect([response.status, body.code]).toEqual([status, code]);
	return body.message;
}

async function expectGone(): Promise<void> {
	expect(await rowOf(owned.chat)).toEqual(tombstone);
	expect(await storedOf(owned.user)).toEqual({ chats: 0, runs: 0, entries: 0 });
	expect(await rows("select 1 from workflow_runs where chat_id = ? or id = ?", owned.chat, run)).toEqual([]);
}

describe.each([
	["user", () => eraseUser(owned.user)],
	["chat", () => eraseChat(owned.chat)],
] as const)("what was erased by %s does not come back", (_, erase) => {
	beforeEach(async () => {
		await erase();
		tombstone = await rowOf(owned.chat);
	});

	it("by a report that comes late, of a run that the hub has just written, a new one, or many", async () => {
		for (const id of [run, uuid()]) {
			await expectRefused(putRun(owned.chat, id, report()), 404, "CHAT_NOT_FOUND");
		}
		await expectRefused(patchRuns(owned.chat, [{ id: run, ...report() }]), 404, "CHAT_NOT_FOUND");
		const events = recording("POST", [{ type: "RUN_STARTED", threadId: "t", runId: run }]);
		await expectRefused(request(`/api/chats/${owned.chat}/ag-ui-events`, events), 404, "CHAT_NOT_FOUND");
		await expectGone();
	});

	it("by a report where no hub is bound", async () => {
		const init = recording("PUT", report());
		await expectRefused(requestWith({}, `${runsPath(owned.chat)}/${run}`, init), 404, "CHAT_NOT_FOUND");
		await expectGone();
	});

	it("by a registration, of its owner or anybody, with restore or without", async () => {
		for (const userId of [owned.user, uuid()]) {
			for (const more of [{}, { restore: true }]) {
				const message = await expectRefused(register(userId, more), 409, "CHAT_DELETED");
				expect(message).toBe("The chat was erased and cannot be brought back");
			}
		}
		await expectGone();
	});

	it("by a deletion, which changes nothing", async () => {
		expect((await request(`/api/chats/${owned.chat}`, recording("DELETE"))).status).toBe(204);
		await expectGone();
	});

	it("over the service binding", async () => {
		const { WorkflowRunRecorder: rpc } = exports;
		const refused = (code: string) => expect.stringMatching(`^${code}: `);
		const error = (sent: Promise<unknown>) =>
			sent.then(
				() => "done",
				(thrown: Error) => thrown.message,
			);
		const restore = rpc.registerChat(owned.chat, { userId: owned.user, restore: true });
		expect(await error(restore)).toEqual(refused("CHAT_DELETED"));
		const late = rpc.recordWorkflowRun(owned.chat, run, report() as never);
		expect(await error(late)).toEqual(refused("CHAT_NOT_FOUND"));
		await expectGone();
	});
});

it("a report that comes between two batches is erased too", async () => {
	let isDone = false;
	const { DB, SESSIONS } = watchBindings({
		// When the runs of the batch are known, and before it is written.
		onD1: async (queries) => {
			if (queries.length < 2 || isDone) return;
			isDone = true;
			expect((await putRun(owned.chat, uuid(), report())).status).toBe(201);
		},
	});
	const first = await receiptOf(await requestWith({ DB, SESSIONS }, userPath(owned.user), operating("DELETE")));
	expect(first).toEqual([200, { chats: 1, workflowRuns: 2, more: false }]);
	expect(isDone).toBe(true);
	expect(await storedOf(owned.user)).toEqual({ chats: 0, runs: 0, entries: 0 });
	expect(await rows("select 1 from workflow_runs where chat_id = ?", owned.chat)).toEqual([]);
});

it("a chat that is brought back between two batches is erased all the same", async () => {
	let isDone = false;
	const other = await registeredChat({ user: owned.user, cookie: owned.cookie });
	const { DB, SESSIONS } = watchBindings({
		onD1: async (queries) => {
			if (queries.length < 2 || isDone) return;
			isDone = true;
			for (const { chat } of [owned, other]) {
				await request(`/api/chats/${chat}`, recording("DELETE"));
				await request(`/api/chats/${chat}`, recording("PUT", { userId: owned.user, restore: true }));
			}
		},
	});
	const first = await receiptOf(await requestWith({ DB, SESSIONS }, userPath(owned.user), operating("DELETE")));
	expect(first).toEqual([200, { chats: 2, workflowRuns: 1, more: false }]);
	expect(await storedOf(owned.user)).toEqual({ chats: 0, runs: 0, entries: 0 });
});

it("a user who was erased can come back with new chats, and with runs of the same ids", async () => {
	await eraseUser(owned.user);
	const again = await registeredChat({ user: owned.user, cookie: owned.cookie });
	const put = await putRun(again.chat, run, report());
	expect(put.status).toBe(201);
	const list = await request(runsPath(again.chat), { headers: { cookie: owned.cookie } });
	expect((await list.json<{ data: { workflowRuns: unknown[] } }>()).data.workflowRuns).toHaveLength(1);
});
