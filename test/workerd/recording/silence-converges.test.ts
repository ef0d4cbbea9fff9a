import { env } from "cloudflare:workers";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { readChatRuns } from "../../../src/workflow-runs/read.ts";
import type { WorkflowRun } from "../../../src/workflow-runs/schemas.ts";
import { insertChat, request, requestWith, runsPath, uuid } from "../helpers.ts";
import { bindHub } from "../live/hub.ts";
import { expectedRun } from "./expected.ts";
import { recording, runCron } from "./recorder.ts";
import { isTerminal, type Report, reportOf } from "./reports.ts";

/*
 * Reports, silence, retention, deletion, purge and restoration, in any order: what the service serves after each of them is what
 * the rules in docs/recording.md say, told here once more and in another way.
 */

const [MINUTE, HOUR, DAY] = [60_000, 3_600_000, 86_400_000];
const RETAINED = { RETENTION_DAYS: "30", PURGE_DAYS: "30" };
const USER = uuid();
const WORKFLOW = "c2d29867-3d0b-4497-9191-18a9d8ee7830";

const start = Date.now();
let clock = start;
/** Time stands still but for this. */
function passTo(at: number): void {
	clock = at;
	vi.setSystemTime(at);
}
beforeAll(() => {
	vi.useFakeTimers({ toFake: ["Date"] });
	vi.spyOn(console, "log").mockImplementation(() => {});
});
afterAll(() => {
	vi.useRealTimers();
	vi.restoreAllMocks();
});

const iso = (at: number) => new Date(at).toISOString();

/** What a report may tell of: some days of a history's first three months, as texts that sort alike; or what cannot be. */
const IMPOSSIBLE = "1969-07-20T20:17:40.000Z";
const TOLD = [["01", "02"], ["01", "20"], ["02"], ["02", "33"], ["50", "51"], ["33", "80"]].map((days) =>
	days.map((day) => `day ${day}`),
);
const daysOf = (text: string, origin: number) =>
	text.replaceAll(/"day (\d+)"/g, (_, day) => `"${iso(origin + Number(day) * DAY - 7 * MINUTE)}"`);
const told = fc.constantFrom(...TOLD, ["day 01", "day 02"], [IMPOSSIBLE], [IMPOSSIBLE, "day 02"]);
/** More of them than not are of a run that is under way. */
const report = fc
	.record({ report: told.chain((moments) => reportOf(WORKFLOW, moments)), goesOn: fc.nat(3) })
	.map(
		({ report: { assumed, ...report }, goesOn }): Report =>
			goesOn > 0 ? { ...report, status: "running", completedAt: null } : { ...report, ...(assumed && { assumed }) },
	);

const event = fc.oneof(
	{ weight: 8, arbitrary: fc.record({ report: fc.nat(7), by: fc.constantFrom("hub", "door") }) },
	{ weight: 4, arbitrary: fc.record({ hours: fc.constantFrom(1, 23, 25, 25, 25, 25, 49, 49, 24 * 8, 24 * 31) }) },
	{ weight: 4, arbitrary: fc.constant("cron" as const) },
	{ weight: 1, arbitrary: fc.constantFrom("delete" as const, "restore" as const) },
);
const scene = fc.record({
	givesUp: fc.boolean(),
	reports: fc.array(fc.record({ run: fc.nat(1), report }), { minLength: 5, maxLength: 8 }),
	events: fc.array(event, { minLength: 10, maxLength: 30 }),
});

/** A run as the rules have it. */
class Model {
	#reports: WorkflowRun[] = [];
	#heard = 0;
	#told = "";
	#isGivenUp = false;

	get isStored(): boolean {
		return this.#reports.length > 0;
	}

	get served(): WorkflowRun {
		const run = expectedRun(this.#reports);
		if (!this.#isGivenUp) return run;
		const { activity: _, output: __, ...rest } = run;
		const last = [this.#told === "" ? iso(this.#heard) : this.#told, iso(this.#heard)].sort()[0] as string;
		const completedAt = [last, run.startedAt ?? ""].sort()[1] as string;
		return { ...rest, status: "failed", completedAt, error: { message: "No news for 24 h" }, assumed: true };
	}

	/** @returns whether it is stored */
	report(report: WorkflowRun): boolean {
		const said = momentsOf(report).filter((moment) => moment !== IMPOSSIBLE);
		const told = said.sort().at(-1) ?? "";
		if (!this.isStored && told !== "" && told < iso(clock - 30 * DAY)) return false;
		const before = this.isStored ? JSON.stringify(expectedRun(this.#reports)) : "";
		this.#reports.push(JSON.parse(JSON.stringify(report).replaceAll(IMPOSSIBLE, iso(clock)), inOrder));
		const isNews = JSON.stringify(expectedRun(this.#reports)) !== before;
		if (isNews) this.#isGivenUp = false;
		if (isNews || !isTerminal(this.served.status)) this.#heard = clock;
		if (told > this.#told) this.#told = told;
		return true;
	}

	cron(givesUp: boolean): void {
		if (!this.isStored) return;
		const isSilent = givesUp && clock - this.#heard > 24 * HOUR + 15 * MINUTE;
		if (!isTerminal(this.served.status) && isSilent) this.#isGivenUp = true;
		const kept = iso(clock - 30 * DAY);
		const last = this.served.completedAt ?? iso(this.#heard);
		if (last < kept && this.#told < kept) this.forget();
	}

	forget(): void {
		this.#reports = [];
		this.#told = "";
		this.#isGivenUp = false;
	}
}

const momentsOf = (run: WorkflowRun): string[] =>
	[run, ...run.steps].flatMap(({ startedAt, completedAt, activity }) =>
		[startedAt, completedAt, activity?.at].filter((moment) => moment !== null && moment !== undefined),
	);

/** Where a start that could not be has become the time of receipt, it is not after the end. */
function inOrder(_: string, value: unknown) {
	const { startedAt, completedAt } = (value ?? {}) as Partial<WorkflowRun>;
	if (startedAt && completedAt && startedAt > completedAt) return { ...(value as object), startedAt: completedAt };
	return value;
}

/** Whatever the order of keys. As text, since what is told of a failure may have half a surrogate pair. */
const asText = (runs: readonly WorkflowRun[] | undefined) =>
	JSON.stringify(runs, (_, value) =>
		value && typeof value === "object" && !Array.isArray(value)
			? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
			: value,
	);

async function served(chat: string): Promise<WorkflowRun[] | undefined> {
	const found = await readChatRuns(env.DB.withSession(), chat);
	return found?.runs.map((run) => JSON.parse(run) as WorkflowRun).sort((a, b) => (a.id < b.id ? -1 : 1));
}

it("runs end as the rules say, whatever comes when; and what retention deleted never comes back", async () => {
	await fc.assert(
		fc.asyncProperty(scene, async ({ givesUp, reports, events }) => {
			const vars = givesUp ? { ...RETAINED, GIVE_UP_HOURS: "24" } : RETAINED;
			// Ahead of D1's own clock, by which a deletion must not come too late.
			const origin = start + DAY;
			passTo(origin + 3 * DAY);
			const chat = await insertChat(USER);
			await bindHub(chat, vars);
			const runs = [uuid(), uuid()].sort();
			const models = [new Model(), new Model()];
			/** When the chat was deleted. */
			let deletedAt: number | null = null;
			const path = `/api/chats/${chat}`;

			async function deliver({ run, report }: { run: number; report: Report }, by: string): Promise<boolean> {
				const sent = JSON.parse(
					daysOf(JSON.stringify({ ...report, id: runs[run], chatId: chat }), origin),
				) as WorkflowRun;
				// A clock that is ahead by more than a day cannot be, either: that is tested by itself.
				if (momentsOf(sent).some((moment) => moment > iso(clock))) return false;
				const put = [`${runsPath(chat)}/${sent.id}`, recording("PUT", sent)] as const;
				const response = await (by === "hub" ? request(...put) : requestWith(vars, ...put));
				expect(response.status).toBeLessThan(deletedAt !== null ? 405 : 202);
				if (deletedAt !== null) return false;
				const { data } = await response.json<{ data: { warnings?: string[] } }>();
				const isStored = (models[run] as Model).report(sent);
				expect(data.warnings?.join().includes("not stored") ?? false).toBe(!isStored);
				return true;
			}

			async function check(): Promise<void> {
				const expected = runs.flatMap((_, i) => (models[i]?.isStored ? [models[i].served] : []));
				expect(asText(await served(chat))).toEqual(asText(deletedAt === null ? expected : undefined));
			}

			const delivered = new Set<(typeof reports)[number]>();
			for (const each of events) {
				if (each === "delete" || each === "restore") {
					deletedAt = each === "delete" ? (deletedAt ?? clock) : null;
					const body = each === "delete" ? undefined : { userId: USER, restore: true };
					await request(path, recording(each === "delete" ? "DELETE" : "PUT", body));
				} else if (each === "cron") {
					await runCron(vars, new Date(clock));
					for (const model of models) model.cron(givesUp);
					const isPurged = deletedAt !== null && deletedAt < clock - 30 * DAY;
					if (isPurged) for (const model of models) model.forget();
				} else if ("hours" in each) passTo(clock + each.hours * HOUR);
				else {
					const report = reports[each.report % reports.length] as (typeof reports)[number];
					if (await deliver(report, each.by)) delivered.add(report);
				}
				await check();
			}

			await request(path, recording("PUT", { userId: USER, restore: true }));
			deletedAt = null;
			passTo(clock + 32 * DAY);
			await runCron(vars, new Date(clock));
			expect(await served(chat)).toEqual([]);
			for (const model of models) model.cron(givesUp);
			for (const report of delivered) {
				const tells = JSON.stringify(report).includes('"day ');
				if (tells) await deliver(report, "hub");
			}
			expect(await served(chat)).toEqual([]);
		}),
		{ numRuns: 20, endOnFailure: true },
	);
}, 120_000);
