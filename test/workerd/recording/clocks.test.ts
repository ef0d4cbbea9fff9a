import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { uuid } from "../helpers.ts";
import { type OwnedChat, putRun, readList, registeredChat, report, revisionOf, runCron } from "./recorder.ts";

const NOW = Date.now() - 60_000;
const iso = (milliseconds: number) => new Date(NOW + milliseconds).toISOString();
const [HOUR, DAY] = [3_600_000, 86_400_000];
const RECEIVED = iso(0);

let owned: OwnedChat;
let run: string;
beforeEach(async () => {
	owned = await registeredChat();
	run = uuid();
	vi.useFakeTimers({ toFake: ["Date"], now: NOW });
});
afterEach(() => void vi.useRealTimers());

const put = async (more: Record<string, unknown>) => putRun(owned.chat, run, report({ startedAt: null, ...more }));
async function after(response: Response) {
	const { workflowRuns, etag } = await readList(owned, response);
	return { run: workflowRuns[0], etag };
}

describe("a moment that cannot be", () => {
	it.each([
		["in 1970", "1970-01-01T00:00:00.000Z"],
		["before 2000", "1999-12-31T23:59:59.999Z"],
		["in the year 0", "0000-01-01T00:00:00.000Z"],
		["more than a day ahead", iso(DAY + 1)],
		["at the end of time", "9999-12-31T23:59:59.999Z"],
	])("is taken for the time of receipt, and the answer says so: %s", async (_, wrong) => {
		const step = { id: "a", status: "completed", startedAt: wrong, completedAt: wrong };
		const activity = { at: wrong, message: "Waits" };
		const open = { id: "b", status: "running", startedAt: null, completedAt: null };
		const response = await put({ startedAt: wrong, completedAt: wrong, steps: [step, { ...open, activity }] });
		const { data } = await response.clone().json<{ data: { warnings: string[] } }>();
		expect(data.warnings).toEqual([
			`Workflow run ${run}: moments before 2000 or more than a day ahead: is a clock wrong? The time of receipt was taken for them`,
		]);
		expect((await after(response)).run).toEqual({
			...{ id: run, chatId: owned.chat, ...report({ startedAt: RECEIVED, completedAt: RECEIVED }) },
			steps: [
				{ ...step, startedAt: RECEIVED, completedAt: RECEIVED },
				{ ...open, activity: { ...activity, at: RECEIVED } },
			],
		});
	});

	it.each([
		["2000", "2000-01-01T00:00:00.000Z"],
		["a day ahead", iso(DAY)],
	])("is not one from %s", async (_, moment) => {
		const response = await put({ completedAt: moment });
		expect(await response.clone().json()).not.toHaveProperty("data.warnings");
		expect((await after(response)).run?.completedAt).toBe(moment);
	});

	it.each([
		["first", ["1970-01-01T00:00:00.000Z", iso(-HOUR)]],
		["last", [iso(-HOUR), "1970-01-01T00:00:00.000Z"]],
		[
			"again and again",
			["1970-01-01T00:00:00.000Z", "1970-01-01T00:00:00.000Z", iso(-HOUR), "1970-01-01T00:00:00.000Z"],
		],
	])("does not win over one that can be, whether it comes %s", async (_, ends) => {
		let response = await put({ status: "running", startedAt: iso(-2 * HOUR), completedAt: null });
		for (const completedAt of ends) {
			vi.setSystemTime(Date.now() + 1_000);
			response = await put({ completedAt });
		}
		expect((await after(response)).run).toMatchObject({ startedAt: iso(-2 * HOUR), completedAt: iso(-HOUR) });
	});

	it("changes nothing where the same report comes again", async () => {
		const wrong = { startedAt: "1970-01-01T00:00:00.000Z", completedAt: "1970-01-01T00:00:05.000Z" };
		const first = await after(await put(wrong));
		const revision = await revisionOf(owned.chat);
		vi.setSystemTime(NOW + HOUR);
		expect(await after(await put(wrong))).toEqual(first);
		expect(await revisionOf(owned.chat)).toBe(revision);
	});

	it("is not after the end, where a start cannot be and the end can", async () => {
		const response = await put({ startedAt: "1970-01-01T00:00:00.000Z", completedAt: iso(-HOUR) });
		expect((await after(response)).run).toMatchObject({ startedAt: iso(-HOUR), completedAt: iso(-HOUR) });
	});

	it("has nothing deleted within the hour, nor kept for ever", async () => {
		await put({ completedAt: "1970-01-01T00:00:00.000Z" });
		await putRun(owned.chat, uuid(), report({ startedAt: null, completedAt: "2090-01-01T00:00:00.000Z" }));
		const left = async (days: number) => {
			await runCron({ RETENTION_DAYS: "2" }, new Date(NOW + days * DAY));
			return env.DB.prepare("select count(*) as runs from workflow_runs where chat_id = ?")
				.bind(owned.chat)
				.first("runs");
		};
		expect([await left(0.04), await left(1.9), await left(2.1)]).toEqual([2, 2, 0]);
	});
});
