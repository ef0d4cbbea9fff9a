import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { WorkflowRun } from "../../../src/workflow-runs/schemas.ts";
import { insertChat, signIn, uuid } from "../helpers.ts";
import { expectedList } from "./expected.ts";
import { patchRuns, putRun, readList, revisionOf } from "./recorder.ts";
import { type Report, reportOf } from "./reports.ts";

const owner = { user: uuid(), cookie: "" };
beforeAll(async () => {
	owner.cookie = (await signIn(owner.user)).cookie;
	// Carrying thousands of log lines out of workerd takes as long as the requests themselves.
	vi.spyOn(console, "log").mockImplementation(() => {});
});
afterAll(() => vi.restoreAllMocks());

const WORKFLOW = "c2d29867-3d0b-4497-9191-18a9d8ee7830";

/** A report of one of a chat's two runs. */
const numbered = fc.record({ run: fc.nat(1), report: reportOf(WORKFLOW) });

/** One request's reports: one by PUT, or as many as there are by PATCH. */
const delivery = (reports: fc.Arbitrary<{ run: number; report: Report }>) =>
	fc.record({ by: fc.constantFrom("PUT", "PATCH"), reports: fc.array(reports, { minLength: 1, maxLength: 3 }) });

/** Deliveries that hold every report once, and some again and again. */
const deliveries = fc
	.array(numbered, { minLength: 1, maxLength: 5 })
	.chain((reports) => fc.array(delivery(fc.constantFrom(...reports)), { minLength: 1, maxLength: 5 }));

const asRun = (chat: string, runIds: readonly string[], { run, report }: { run: number; report: Report }) =>
	({ id: runIds[run], chatId: chat, ...report }) as WorkflowRun;

/** Sends one request, or by PUT one for each report. */
async function deliver(chat: string, by: string, runs: readonly WorkflowRun[]): Promise<Response> {
	if (by === "PATCH") return patchRuns(chat, runs);
	let response: Response | undefined;
	for (const run of runs) response = await putRun(chat, run.id, run);
	return response as Response;
}

/** Some hundred histories of a chat, each of many requests. */
const LONG = 120_000;

describe("reports, in any order, batches and number", () => {
	it(
		"end in the list that the rules name, and an ETag changes exactly when the list does",
		async () => {
			await fc.assert(
				fc.asyncProperty(deliveries, async (sent) => {
					const owned = { ...owner, chat: await insertChat(owner.user) };
					const runIds = [uuid(), uuid()];
					const reported: WorkflowRun[] = [];
					let before = { text: "", etag: "", revision: await revisionOf(owned.chat) };
					for (const { by, reports } of sent) {
						const runs = reports.map((each) => asRun(owned.chat, runIds, each));
						const response = await deliver(owned.chat, by, runs);
						expect([200, 201]).toContain(response.status);
						reported.push(...runs);

						const { text, workflowRuns, etag } = await readList(owned, response);
						expect(workflowRuns).toEqual(expectedList(reported));
						const revision = await revisionOf(owned.chat);
						const changed = text !== before.text;
						expect([etag !== before.etag, revision !== before.revision]).toEqual([changed, changed]);
						before = { text, etag, revision };
					}
				}),
				{ numRuns: 50 },
			);
		},
		LONG,
	);

	it(
		"end in the same list if they all come at once",
		async () => {
			await fc.assert(
				fc.asyncProperty(deliveries, async (sent) => {
					const owned = { ...owner, chat: await insertChat(owner.user) };
					const runIds = [uuid(), uuid()];
					const requests = sent.map(({ by, reports }) => ({
						by,
						runs: reports.map((each) => asRun(owned.chat, runIds, each)),
					}));
					const responses = await Promise.all(requests.map(({ by, runs }) => deliver(owned.chat, by, runs)));
					for (const { status } of responses) expect([200, 201]).toContain(status);
					const last = await patchRuns(owned.chat, requests[0]?.runs ?? []);
					const { workflowRuns } = await readList(owned, last);
					expect(workflowRuns).toEqual(expectedList(requests.flatMap(({ runs }) => runs)));
				}),
				{ numRuns: 50 },
			);
		},
		LONG,
	);
});
