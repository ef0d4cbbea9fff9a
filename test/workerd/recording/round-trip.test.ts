import { beforeAll, describe, expect, it } from "vitest";
import { request, runsPath, uuid } from "../helpers.ts";
import { type OwnedChat, patchRuns, readList, recording, registeredChat, report, revisionOf } from "./recorder.ts";

let owned: OwnedChat;
let run: string;
let before: Awaited<ReturnType<typeof readList>> & { revision: string | null };

/** Everything that a run can have, in its served order. */
const everything = {
	status: "failed",
	error: { message: 'The model said "no" \u2028 \ud83d\ude80 \ud800' },
	output: { answer: [null, 1e-7, 'He said "no" \u2028 \ud83d\ude80 \ud800'], "10": 1, "9": {} },
	attempt: 2,
	metrics: { "": 0.5, tokens: -1e21 },
	workflowName: 'Research "it"',
	externalId: "wrun_01J9ZC0V",
	messageId: "msg 1",
	parentRunId: "0a4c1de2-93c7-4c2b-8f0e-1d2c3b4a5e10",
	assumed: true,
	steps: [
		{
			id: "step-1",
			status: "completed",
			startedAt: "2024-02-04T12:00:00.000Z",
			completedAt: "2024-02-04T12:00:45.000Z",
			output: null,
			attempt: 1,
			metrics: {},
			name: "Fetch \u0000 sources",
			position: 0,
		},
		{
			id: "étape 2",
			status: "failed",
			startedAt: "2024-02-04T12:00:45.000Z",
			completedAt: "2024-02-04T12:01:30.000Z",
			error: { message: "" },
		},
		{
			id: "step-4",
			status: "running",
			startedAt: "2024-02-04T12:00:45.000Z",
			completedAt: null,
			activity: { at: "2024-02-04T12:00:50.000Z", message: "Waits for approval", waiting: true, progress: 0.5 },
			parentId: "step-1",
		},
		{ id: "step-3", status: "pending", startedAt: null, completedAt: null },
	],
};

beforeAll(async () => {
	owned = await registeredChat();
	run = uuid();
	const sent = [
		{ id: run, ...report(everything) },
		{ id: uuid(), ...report({ status: "pending", startedAt: null, completedAt: null }) },
	];
	const response = await patchRuns(owned.chat, sent);
	before = { ...(await readList(owned, response)), revision: await revisionOf(owned.chat) };
});

const get = async (path: string) => (await request(path, { headers: { cookie: owned.cookie } })).text();

async function expectNothingChanged(response: Response): Promise<void> {
	expect(response.status).toBe(200);
	const after = { ...(await readList(owned, response)), revision: await revisionOf(owned.chat) };
	expect(after).toEqual(before);
}

describe("what a GET returned, sent back as it is, changes nothing:", () => {
	it("a report comes back as it was sent, with the ids", () => {
		expect(before.workflowRuns[1]).toEqual({ id: run, chatId: owned.chat, ...report(everything) });
	});

	it("a list, by PATCH", async () => {
		await expectNothingChanged(await request(runsPath(owned.chat), recording("PATCH", before.text)));
	});

	it("a page of a list, by PATCH", async () => {
		const page = await get(`${runsPath(owned.chat)}?limit=1`);
		expect(JSON.parse(page).data.nextCursor).toEqual(expect.any(String));
		await expectNothingChanged(await request(runsPath(owned.chat), recording("PATCH", page)));
	});

	it("a list without its envelope, by PATCH", async () => {
		const { data } = JSON.parse(before.text);
		await expectNothingChanged(await request(runsPath(owned.chat), recording("PATCH", data)));
	});

	it("one run, by PUT, with its envelope and without", async () => {
		const path = `${runsPath(owned.chat)}/${run}`;
		const body = await get(path);
		const { workflowRun } = JSON.parse(body).data;
		for (const sent of [body, workflowRun]) await expectNothingChanged(await request(path, recording("PUT", sent)));
	});

	it("the answer to a PUT and to a PATCH, too", async () => {
		const path = `${runsPath(owned.chat)}/${run}`;
		const put = await request(path, recording("PUT", before.workflowRuns[1]));
		await expectNothingChanged(await request(path, recording("PUT", await put.text())));
		const patch = await patchRuns(owned.chat, before.workflowRuns);
		const { data } = await patch.json<{ data: { workflowRuns: unknown[] } }>();
		await expectNothingChanged(await patchRuns(owned.chat, data.workflowRuns));
	});
});

describe("a report may be shorter, or say the same in another way:", () => {
	it.each([
		["only what is required", { workflowId: report()["workflowId"], status: "running" }],
		["no timestamps that say nothing", report({ status: "running", startedAt: undefined, completedAt: undefined })],
		["upper-case ids", { ...report(everything), workflowId: String(report()["workflowId"]).toUpperCase() }],
		[
			"timestamps of another zone",
			report({
				startedAt: "2024-02-04T13:00:00+01:00",
				completedAt: "2024-02-04T12:01:30Z",
				status: "failed",
				error: everything.error,
			}),
		],
		["microseconds", report({ ...everything, startedAt: "2024-02-04T12:00:00.000999Z" })],
		["steps in another order", report({ ...everything, steps: everything.steps.toReversed() })],
		["no steps", report({ ...everything, steps: undefined })],
	])("%s", async (_, sent) => {
		const path = `${runsPath(owned.chat.toUpperCase())}/${run.toUpperCase()}`;
		await expectNothingChanged(
			await request(path, recording("PUT", { id: run.toUpperCase(), chatId: owned.chat.toUpperCase(), ...sent })),
		);
	});

	it.each([["application/json; charset=utf-8"], ["application/vnd.engine+json"], ["APPLICATION/JSON"]])(
		"%s",
		async (type) => {
			const path = `${runsPath(owned.chat)}/${run}`;
			await expectNothingChanged(
				await request(path, recording("PUT", before.workflowRuns[1], { "content-type": type })),
			);
		},
	);
});

describe("a report that changes anything", () => {
	it.each([
		["a step's position", { steps: [{ id: "step-3", status: "pending", position: 7 }] }],
		["a step's name", { steps: [{ id: "step-3", status: "pending", name: "Write" }] }],
		["an earlier start", { startedAt: "2024-02-04T11:59:59.999Z" }],
		["an earlier end", { completedAt: "2024-02-04T12:01:29.999Z" }],
		["a new step", { steps: [{ id: "step-5", status: "pending" }] }],
		[
			"a step's activity",
			{ steps: [{ id: "step-3", status: "pending", activity: { at: "2024-02-04T12:00:00Z", message: "" } }] },
		],
		["a step's next attempt", { steps: [{ id: "étape 2", status: "pending", attempt: 2 }] }],
		["a higher metric", { metrics: { "": 0.75 } }],
		["a longer name", { workflowName: 'Research "it" all' }],
		["an end that is reported rather than assumed", { assumed: false }],
		["the next attempt", { status: "running", completedAt: null, assumed: false, attempt: 3 }],
	])("replaces the ETag and the revision: %s", async (_, change) => {
		const response = await request(
			`${runsPath(owned.chat)}/${run}`,
			recording("PUT", report({ ...everything, steps: [], ...change })),
		);
		const after = { ...(await readList(owned, response)), revision: await revisionOf(owned.chat) };
		expect(after.etag).not.toBe(before.etag);
		expect(after.revision).not.toBe(before.revision);
		before = after;
	});
});
