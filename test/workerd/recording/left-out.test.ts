import { beforeAll, describe, expect, it } from "vitest";
import type { Step, WorkflowRun } from "../../../src/workflow-runs/schemas.ts";
import { request, runsPath, uuid } from "../helpers.ts";
import { manySteps } from "./invalid-reports.ts";
import { type OwnedChat, patchRuns, putRun, readList, recording, registeredChat, report } from "./recorder.ts";

let owned: OwnedChat;
beforeAll(async () => {
	owned = await registeredChat();
});

interface Answer {
	workflowRun: WorkflowRun;
	warnings?: string[];
}

/** Puts a report of a new run. What is answered is also what is stored. */
async function put(change: Record<string, unknown>, id = uuid()): Promise<Answer> {
	const response = await putRun(owned.chat, id, report(change));
	expect([200, 201]).toContain(response.status);
	const { data } = await response.json<{ data: Answer }>();
	const { workflowRuns } = await readList(owned, response);
	expect(workflowRuns.find((run) => run.id === id)).toEqual(data.workflowRun);
	return data;
}

const step = (more: Record<string, unknown> = {}) => ({ id: "step-1", status: "pending", ...more });
/** JSON of that many bytes. */
const sized = (bytes: number) => "o".repeat(bytes - 2);
/** The stepped value, so many levels deep. */
const nested = (levels: number) => JSON.parse("[".repeat(levels) + "]".repeat(levels));

describe("what the service does not know, or cannot keep, is left out and named; the report counts:", () => {
	it.each<[string, Record<string, unknown>, Record<string, unknown>, string[]]>([
		["an unknown field", { retries: 3 }, {}, ["retries: unknown field, left out"]],
		["a prototype's field", JSON.parse('{"__proto__":{"admin":true}}'), {}, ["__proto__: unknown field, left out"]],
		[
			"a field of an error",
			{ error: { message: "m", stack: "s" } },
			{ error: { message: "m" } },
			["error.stack: unknown field, left out"],
		],
		[
			"a step's field, an activity's and an error's",
			{
				steps: [
					step(),
					step({
						id: "step-2",
						colour: "red",
						error: { message: "", cause: {} },
						activity: { at: "2024-02-04T12:00:00.000Z", message: "m", eta: 3 },
					}),
				],
			},
			{
				steps: [
					{ ...step(), startedAt: null, completedAt: null },
					{
						...step({ id: "step-2" }),
						startedAt: null,
						completedAt: null,
						error: { message: "" },
						activity: { at: "2024-02-04T12:00:00.000Z", message: "m" },
					},
				],
			},
			[
				"steps.1.colour: unknown field, left out",
				"steps.1.error.cause: unknown field, left out",
				"steps.1.activity.eta: unknown field, left out",
			],
		],
		["an empty name", { workflowName: "" }, {}, ["workflowName: empty, left out"]],
		[
			"an output of 16,385 bytes",
			{ output: sized(16_385) },
			{},
			["output: 16385 bytes, and 16384 is the most, left out"],
		],
		["not one of 16,384", { output: sized(16_384) }, { output: sized(16_384) }, []],
		["counted in UTF-8", { output: "é".repeat(8_192) }, {}, ["output: 16386 bytes, and 16384 is the most, left out"]],
		["an output that is too deep", { output: nested(101) }, {}, ["output: nested deeper than 100 levels, left out"]],
		["not one of 100 levels", { output: nested(100) }, { output: nested(100) }, []],
		[
			"a step's output",
			{ steps: [step({ output: { rows: sized(20_000) } })] },
			{ steps: [{ ...step(), startedAt: null, completedAt: null }] },
			["steps.0.output: 20009 bytes, and 16384 is the most, left out"],
		],
		[
			"a metric that cannot be named so",
			JSON.parse(`{"metrics":{"__proto__":1,"${"n".repeat(201)}":2,"tokens":3}}`),
			{ metrics: { tokens: 3 } },
			[
				"metrics.__proto__: not usable as a name, left out",
				`metrics.${"n".repeat(199)}…: not usable as a name, left out`,
			],
		],
		[
			"metrics beyond 20",
			{ metrics: Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`m${99 - i}`, i])) },
			{ metrics: Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`m${79 + i}`, 20 - i])) },
			["metrics: 21 names, the first 20 are kept"],
		],
	])("%s", async (_, change, kept, warnings) => {
		const data = await put(change);
		expect(data.workflowRun).toEqual({
			id: data.workflowRun.id,
			chatId: owned.chat,
			...report(kept),
		});
		expect(data.warnings ?? []).toEqual(warnings);
		expect("warnings" in data).toBe(warnings.length > 0);
	});

	it("each under its place in a list, and what stands beside the list", async () => {
		const three = [{}, { colour: "red" }, { steps: [step({ size: 1 })] }].map((each) => ({
			id: uuid(),
			...report(each),
		}));
		const response = await request(runsPath(owned.chat), recording("PATCH", { workflowRuns: three, dryRun: true }));
		expect(response.status).toBe(201);
		const { data } = await response.json<{ data: { warnings: string[]; created: string[] } }>();
		expect(data.created).toHaveLength(3);
		expect(data.warnings).toEqual([
			"dryRun: unknown field, left out",
			"workflowRuns.1.colour: unknown field, left out",
			"workflowRuns.2.steps.0.size: unknown field, left out",
		]);
		// The answer can be sent back: what it has beside the runs says nothing.
		const again = await request(runsPath(owned.chat), recording("PATCH", { data }));
		expect(again.status).toBe(200);
		expect((await again.json<{ data: object }>()).data).not.toHaveProperty("warnings");
	});

	it("a hundred of them by name, the others by number", async () => {
		const { warnings } = await put(Object.fromEntries(Array.from({ length: 150 }, (_, i) => [`field${i}`, i])));
		expect(warnings).toHaveLength(101);
		expect(warnings?.at(-1)).toBe("and 50 more");
	});
});

describe("text for people is cut, and not even named:", () => {
	it.each<[string, Record<string, unknown>, Record<string, unknown>]>([
		["an error", { error: { message: "m".repeat(4_001) } }, { error: { message: `${"m".repeat(3_999)}…` } }],
		["a name", { workflowName: "n".repeat(201) }, { workflowName: `${"n".repeat(199)}…` }],
	])("%s", async (_, change, kept) => {
		const { workflowRun, warnings } = await put({ ...change, steps: [] });
		expect(workflowRun).toMatchObject(kept);
		expect(warnings).toBeUndefined();
	});

	it("a step's name, error and activity", async () => {
		const at = "2024-02-04T12:00:00.000Z";
		const long = "x".repeat(5_000);
		const { workflowRun, warnings } = await put({
			steps: [step({ name: long, error: { message: long }, activity: { at, message: long } })],
		});
		const message = `${"x".repeat(3_999)}…`;
		expect(workflowRun.steps).toMatchObject([
			{ name: `${"x".repeat(199)}…`, error: { message }, activity: { at, message } },
		]);
		expect(warnings).toBeUndefined();
	});
});

describe("of more than a run can hold, its status is kept:", () => {
	it("of more steps than 1,000, together with those before, the first by id stay", async () => {
		const id = uuid();
		await put({ status: "running", completedAt: null, steps: manySteps(600, 500) }, id);
		const { workflowRun, warnings } = await put({ steps: manySteps(600) }, id);
		expect(workflowRun.status).toBe("completed");
		expect(workflowRun.steps.map((step) => step.id)).toEqual(manySteps(1_000).map((step) => step.id));
		expect(warnings).toEqual([`Workflow run ${id}: steps: 1100 steps, the first 1000 by id are kept`]);
		const more = await put({ steps: manySteps(1_001) });
		expect(more.warnings).toEqual([expect.stringMatching(/: steps: 1001 steps, the first 1000 by id are kept$/)]);
		expect((await put({ steps: manySteps(1_000) }, id)).warnings).toBeUndefined();
	});

	it("steps that take more than a row lose their largest outputs, the same again changes nothing", async () => {
		const id = uuid();
		const sizes = (from: number) =>
			Array.from({ length: 50 }, (_, i) => ({
				id: `s${from + i}`,
				status: "pending",
				output: sized(16_000 - from - i),
			}));
		await put({ status: "running", completedAt: null, steps: sizes(0) }, id);
		const { workflowRun, warnings } = await put({ steps: sizes(50) }, id);
		expect(workflowRun.status).toBe("completed");
		expect(warnings).toEqual([`Workflow run ${id}: steps: too large for one run, the largest outputs left out`]);
		const gone = workflowRun.steps.filter(({ output }) => output === undefined).map((step) => step.id);
		expect(gone).toEqual(manyIds(gone.length));
		expect(gone.length).toBeGreaterThan(30);
		expect(gone.length).toBeLessThan(45);
		for (const again of [sizes(0), sizes(50), sizes(0).slice(0, 3)]) {
			expect((await put({ steps: again }, id)).workflowRun).toEqual(workflowRun);
		}
	});

	it("then messages are cut short, then whole steps go, the last by id", async () => {
		const id = uuid();
		const large = (from: number, message: string) =>
			manySteps(80, from).map((step) => ({ ...step, error: { message } }) as Step);
		await put({ status: "running", completedAt: null, steps: large(0, "é".repeat(4_000)) }, id);
		const cut = await put({ steps: large(80, "é".repeat(4_000)) }, id);
		expect(cut.warnings).toEqual([expect.stringMatching(/messages cut$/)]);
		expect(cut.workflowRun.status).toBe("completed");
		expect(cut.workflowRun.steps).toHaveLength(160);
		expect(cut.workflowRun.steps[0]?.error?.message).toBe(`${"é".repeat(199)}…`);
	});
});

const manyIds = (count: number) => Array.from({ length: count }, (_, i) => `s${i}`);

it("the answer to a PATCH names what a run had to leave out", async () => {
	const id = uuid();
	const steps = Array.from({ length: 60 }, (_, i) => ({ id: `s${i}`, status: "pending", output: sized(16_000) }));
	await putRun(owned.chat, id, report({ steps }));
	const more = steps.map((each) => ({ ...each, id: `t${each.id}` }));
	const response = await patchRuns(owned.chat, [{ id, ...report({ steps: more.slice(0, 30) }) }]);
	expect((await response.json<{ data: Answer }>()).data.warnings).toEqual([
		`Workflow run ${id}: steps: too large for one run, the largest outputs left out`,
	]);
});
