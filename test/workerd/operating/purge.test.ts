import { createExecutionContext, createScheduledController, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Env } from "../../../src/env.ts";
import worker from "../../../src/index.ts";
import { insertChat, insertRuns, request, uuid } from "../helpers.ts";
import { putRun, readList, recording, registeredChat, report } from "../recording/recorder.ts";
import { eraseChat, rows } from "./operator.ts";

afterEach(() => {
	vi.restoreAllMocks();
});

const DAY = 86_400_000;

/** The cron, so many days from now. @returns the lines that it logged */
async function onCron(days: number, changed: Partial<Env> = {}) {
	const lines: Record<string, unknown>[] = [];
	vi.spyOn(console, "log").mockImplementation((line) => void lines.push(JSON.parse(line)));
	const context = createExecutionContext();
	const controller = createScheduledController({
		scheduledTime: new Date(Date.now() + days * DAY),
		cron: "17 * * * *",
	});
	await worker.scheduled(controller, { ...env, ...changed }, context);
	await waitOnExecutionContext(context);
	vi.restoreAllMocks();
	return lines.find(({ event }) => event === "purge");
}

const isThere = async (chat: string) => (await rows("select 1 from chats where id = ?", chat)).length === 1;

describe("the cron", () => {
	it("removes deleted chats after PURGE_DAYS, unfinished runs too, and tombstones; nothing else", async () => {
		const [deleted, live] = [await registeredChat(), await registeredChat()];
		for (const { chat } of [deleted, live]) {
			await putRun(chat, uuid(), report({ status: "running", completedAt: null }));
			await putRun(chat, uuid(), report());
		}
		await request(`/api/chats/${deleted.chat}`, recording("DELETE"));
		const erased = await registeredChat();
		await eraseChat(erased.chat);

		await onCron(29);
		expect([await isThere(deleted.chat), await isThere(erased.chat)]).toEqual([true, true]);
		await onCron(8, { PURGE_DAYS: "8.5" });
		expect(await isThere(deleted.chat)).toBe(true);
		expect(await onCron(31)).toEqual({
			level: "info",
			requestId: expect.any(String),
			event: "purge",
			before: expect.stringMatching(/^\d{4}-/),
			chats: expect.any(Number),
			deleted: expect.any(Number),
			more: false,
		});
		expect([await isThere(deleted.chat), await isThere(erased.chat), await isThere(live.chat)]).toEqual([
			false,
			false,
			true,
		]);
		expect(await rows("select 1 from workflow_runs where chat_id = ?", deleted.chat)).toEqual([]);
		expect(await rows("select 1 from workflow_runs where chat_id = ?", live.chat)).toHaveLength(2);
	});

	it("leaves the id to be registered anew, by anybody, with nothing of what was", async () => {
		const owned = await registeredChat();
		const run = uuid();
		await putRun(owned.chat, run, report());
		await eraseChat(owned.chat);
		await onCron(31);
		expect((await putRun(owned.chat, run, report())).status).toBe(404);
		const next = await registeredChat();
		const registered = await request(`/api/chats/${owned.chat}`, recording("PUT", { userId: next.user }));
		expect(registered.status).toBe(201);
		const { workflowRuns } = await readList({ ...next, chat: owned.chat }, registered);
		expect(workflowRuns).toEqual([]);
	});

	it("works in small batches, oldest first, and goes on in the next round", async () => {
		await onCron(31);
		const user = uuid();
		const older = await insertChat(user, { deletedAt: "2020-01-01T00:00:00.000Z" });
		const { chat: old } = await registeredChat();
		await env.DB.prepare("update chats set deleted_at = '2020-01-02T00:00:00.000Z' where id = ?").bind(old).run();
		await insertRuns(older, Array(3_900).fill({}));
		await insertRuns(old, Array(300).fill({ status: "running", completedAt: null }));
		expect(await onCron(0)).toMatchObject({ chats: 1, deleted: 4_000, more: true });
		expect([await isThere(older), await isThere(old)]).toEqual([false, true]);
		// Should it be restored in between, nobody is told that its runs are still there.
		const [{ change, floor }] = (await rows("select change, floor from chats where id = ?", old)) as [
			{ change: number; floor: number },
		];
		expect([change, floor]).toEqual([2, 2]);
		expect(await onCron(0)).toMatchObject({ chats: 1, deleted: 200, more: false });
		expect(await isThere(old)).toBe(false);
	});

	it("leaves a chat that is restored in between", async () => {
		const owned = await registeredChat();
		await putRun(owned.chat, uuid(), report());
		await request(`/api/chats/${owned.chat}`, recording("DELETE"));
		let isDone = false;
		const DB = {
			withSession: (from: string) => {
				const session = env.DB.withSession(from);
				return {
					prepare: session.prepare.bind(session),
					getBookmark: () => session.getBookmark(),
					batch: async (statements: D1PreparedStatement[]) => {
						if (statements.length > 1 && !isDone) {
							isDone = true;
							const restore = recording("PUT", { userId: owned.user, restore: true });
							expect((await request(`/api/chats/${owned.chat}`, restore)).status).toBe(200);
						}
						return session.batch(statements);
					},
				};
			},
		} as unknown as D1Database;
		await onCron(31, { DB });
		expect(isDone).toBe(true);
		expect(await rows("select deleted_at from chats where id = ?", owned.chat)).toEqual([{ deleted_at: null }]);
		expect(await rows("select 1 from workflow_runs where chat_id = ?", owned.chat)).toHaveLength(1);
	});

	it("finds what is due by an index, without a scan or a sort", async () => {
		const plan = await rows<{ detail: string }>(
			`explain query plan select chats.id, workflow_runs.id from chats
				left join workflow_runs on workflow_runs.chat_id = chats.id where deleted_at < ? order by deleted_at limit 200`,
			"2024-01-01T00:00:00.000Z",
		);
		expect(plan.map(({ detail }) => detail.replace(/ +LEFT-JOIN/, ""))).toEqual([
			"SEARCH chats USING INDEX chats_deleted (deleted_at<?)",
			"SEARCH workflow_runs USING COVERING INDEX workflow_runs_list (chat_id=?)",
		]);
	});

	it.each(["0", "-1", "soon"])("fails, and says why, with PURGE_DAYS=%s", async (days) => {
		await expect(onCron(0, { PURGE_DAYS: days })).rejects.toThrow("PURGE_DAYS is not a number from 1 to 36500");
	});
});
