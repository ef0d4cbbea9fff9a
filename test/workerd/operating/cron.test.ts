import { env } from "cloudflare:workers";
import { afterEach, expect, it, vi } from "vitest";
import { insertChat, insertRuns, request, uuid } from "../helpers.ts";
import { putRun, recording, registeredChat, report, runCron } from "../recording/recorder.ts";
import { rows } from "./operator.ts";

const DAY = 86_400_000;
const VARS = { GIVE_UP_HOURS: "24", RETENTION_DAYS: "365" };

afterEach(() => vi.restoreAllMocks());

const runsOf = (chat: string) => rows("select status from workflow_runs where chat_id = ?", chat);

it("does what it can where D1 has no room: what only deletes makes some", async () => {
	const [silent, deleted] = [await registeredChat(), await registeredChat()];
	const running = report({ status: "running", startedAt: new Date().toISOString(), completedAt: null });
	await putRun(silent.chat, uuid(), running);
	await request(`/api/chats/${deleted.chat}`, recording("DELETE"));
	const old = await insertChat(silent.user);
	await insertRuns(old, [{}]);

	const errors = vi.spyOn(console, "error").mockImplementation(() => {});
	vi.spyOn(console, "log").mockImplementation(() => {});
	await env.DB.exec(
		"create trigger refuse before update on workflow_runs begin select raise(abort, 'Exceeded maximum DB size'); end",
	);
	try {
		await expect(runCron(VARS, new Date(Date.now() + 31 * DAY))).rejects.toThrow("store is unavailable");
	} finally {
		await env.DB.exec("drop trigger refuse");
	}
	expect(errors.mock.calls.map(([line]) => JSON.parse(line))).toMatchObject([{ event: "cron", doing: "give up" }]);
	expect(await runsOf(old)).toEqual([]);
	expect(await rows("select 1 from chats where id = ?", deleted.chat)).toEqual([]);

	await runCron(VARS, new Date(Date.now() + 31 * DAY));
	expect(await runsOf(silent.chat)).toEqual([{ status: "failed" }]);
});
