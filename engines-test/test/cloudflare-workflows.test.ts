import { randomUUID } from "node:crypto";
import { recordWorkflow } from "edge-runs/engines/cloudflare-workflows";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { signIn, startedFromRoot, USER } from "./global-setup.ts";
import { outline, readRuns } from "./recording.ts";

const WORKER = "engines-test/workers/workflows/wrangler.toml";

let service: Awaited<ReturnType<typeof startedFromRoot>>;
let cookie: string;
beforeAll(async () => {
	service = await startedFromRoot({ configPath: WORKER });
	cookie = await signIn(service.server.getWorker("edge-runs"));
});
afterAll(() => service.server.close());

/** Has the Worker whose workflow it is do something. */
async function ask<T>(method: string, id?: string, ...args: unknown[]): Promise<T> {
	const init = { method: "POST", body: JSON.stringify({ method, id, args }) };
	const response = await service.server.getWorker("workflows").fetch("http://workflows.test/", init);
	return (await response.json()) as T;
}

async function play(name: string, wanted: RegExp) {
	const chatId = randomUUID();
	const id = await ask<string>("create", undefined, { params: { chatId, userId: USER, play: name } });
	const until = (status: RegExp) =>
		vi.waitFor(async () => expect((await ask<{ status: string }>("status", id)).status).toMatch(status), 10_000);
	await until(wanted);
	return { chatId, id, until };
}

const runOf = async (chatId: string) => {
	const [run, ...others] = await readRuns(service.url, cookie, chatId);
	expect(others).toEqual([]);
	if (!run) throw new Error("No run was recorded");
	return run;
};

const follow = (id: string, options: object = {}) =>
	ask<{ ended: boolean; cursor?: number; error?: unknown }>("follow", id, { milliseconds: 10_000, ...options });

const success = [
	{ id: "fetch-1", name: "fetch", status: "completed", output: { pages: 3 } },
	{ id: "sleep:pause-1", name: "pause", status: "completed" },
	{ id: "fetch-2", name: "fetch", status: "completed", output: { pages: 4 } },
];

describe("from inside, over the service binding, it records", () => {
	it("a success: steps by occurrence, sleeps, outputs", async () => {
		const { chatId, id } = await play("success", /complete/);
		const run = await runOf(chatId);
		const named = { id, chatId, externalId: id, workflowName: "research" };
		expect(run).toMatchObject({ ...named, status: "completed", output: "all done" });
		expect(outline(run)).toEqual(success);
	});

	it("a step's attempts, and the step as completed in the end", async () => {
		const { chatId } = await play("retry", /complete/);
		const run = await runOf(chatId);
		expect(run.status).toBe("completed");
		const output = { attempt: 3 };
		expect(outline(run)).toEqual([{ id: "flaky-1", name: "flaky", status: "completed", attempt: 3, output }]);
	});

	it("a failure, and a failed step that the workflow goes on after", async () => {
		const error = { message: expect.stringContaining("it broke") };
		const failed = await runOf((await play("failure", /errored/)).chatId);
		expect(failed).toMatchObject({ status: "failed", error });
		expect(outline(failed)).toMatchObject([
			{ id: "first-1", status: "completed" },
			{ id: "broken-1", status: "failed", error },
		]);
		const caught = await runOf((await play("caught", /complete/)).chatId);
		expect(caught).toMatchObject({ status: "completed", steps: [{ status: "failed", error }] });
	});

	it("steps of one name side by side", async () => {
		const run = await runOf((await play("parallel", /complete/)).chatId);
		expect(outline(run)).toEqual(
			[1, 2, 3].map((n) => ({ id: `part-${n}`, name: "part", status: "completed", output: n })),
		);
	});

	it("what it waits for; and a replay, which its pause brings, changes nothing that was recorded", async () => {
		const { chatId, id, until } = await play("wait", /running|waiting/);
		const waiting = { name: "approval", status: "running", activity: { message: "Waits for approved", waiting: true } };
		await vi.waitFor(async () => {
			const run = await runOf(chatId);
			expect(run).toMatchObject({ status: "running", steps: [{ name: "before", status: "completed" }, waiting] });
		}, 10_000);
		const before = (await runOf(chatId)).steps[0];
		const runs = await ask<number>("runs");
		await ask("pause", id);
		await until(/paused/);
		await ask("resume", id);
		await vi.waitFor(async () => expect(await ask<number>("runs")).toBeGreaterThan(runs), 10_000);
		await ask("sendEvent", id, { type: "approved", payload: "yes" });
		await until(/complete/);
		const run = await runOf(chatId);
		expect(run).toMatchObject({ status: "completed", output: "yes", steps: [before, { status: "completed" }] });
	});
});

describe("from outside, by the instance's events, it records", () => {
	it.each([
		["success", success],
		["retry", [{ id: "flaky-1", name: "flaky", status: "completed", attempt: 3, output: { attempt: 3 } }]],
		["parallel", [1, 2, 3].map((n) => ({ id: `part-${n}`, name: "part", status: "completed", output: n }))],
		["failure", [{ id: "first-1" }, { id: "broken-1", status: "failed" }]],
	])("the very same as from inside: %s", async (name, steps) => {
		const { chatId, id } = await play(name, /complete|errored/);
		const inside = await runOf(chatId);
		expect(await follow(id)).toEqual({ ended: true, cursor: expect.any(Number) });
		const both = await runOf(chatId);
		expect(outline(both)).toMatchObject(steps);
		// Clocks differ by milliseconds, and so may the words of an error; nothing else does.
		expect(outline(both).map(({ error: _, ...step }) => step)).toEqual(
			outline(inside).map(({ error: _, ...step }) => step),
		);
		expect(both.status).toBe(inside.status);
	});

	it("a workflow that records nothing itself", async () => {
		const { chatId, id } = await play("silent", /errored/);
		await follow(id);
		const run = await runOf(chatId);
		expect(run).toMatchObject({ id, status: "failed", workflowName: "research" });
		expect(outline(run)).toMatchObject([
			{ id: "first-1", name: "first", status: "completed", output: "done" },
			{ id: "broken-1", name: "broken", status: "failed", error: { message: expect.stringContaining("it broke") } },
		]);
	});

	it("one that it leaves and comes back to: it goes on from its cursor", async () => {
		const { chatId, id, until } = await play("wait", /running|waiting/);
		await vi.waitFor(async () => expect((await runOf(chatId)).steps).toHaveLength(2), 10_000);
		const left = await vi.waitFor(async () => {
			const told = await follow(id, { milliseconds: 300 });
			expect(told).toEqual({ ended: false, cursor: expect.any(Number) });
			return told;
		}, 10_000);
		await ask("sendEvent", id, { type: "approved", payload: "yes" });
		await until(/complete/);
		const { ended, cursor } = await follow(id, { cursor: left.cursor });
		expect({ ended, further: (cursor ?? 0) > (left.cursor ?? 0) }).toEqual({ ended: true, further: true });
		expect(await runOf(chatId)).toMatchObject({
			status: "completed",
			steps: [{}, { name: "approval", status: "completed" }],
		});
	});
});

it("the run through the code that looks for what is to be rolled back completes nothing", async () => {
	// Workflows makes it only where its engine was evicted in between, which takes a test too long. Its steps then do
	// nothing and give nothing (`createRollbackContext` in workers-sdk).
	const step = {
		do: async (..._: unknown[]): Promise<unknown> => undefined,
		waitForEvent: async (..._: unknown[]) => {},
	};
	const told: { status: string; steps?: { id: string; status: string }[] }[] = [];
	const recorder = { report: ({ run }: { run: (typeof told)[number] }) => void told.push(run) };
	const event = { instanceId: "i", timestamp: new Date(), workflowName: "w" };
	await recordWorkflow({ recorder, chatId: "c", event, step }, async (step) => {
		await step.do("book", async () => {}, { rollback: async () => {} });
		await step.waitForEvent("approval", { type: "approved" });
		await step.do("pay", async () => {}, { rollback: async () => {} });
		return "paid";
	});
	expect(told.map(({ status, steps }) => [status, steps?.length ?? 0])).toEqual([["running", 0]]);
});

it("a run that was terminated from outside is cancelled by the queue's consumer", async () => {
	const { chatId, id, until } = await play("wait", /running|waiting/);
	await vi.waitFor(async () => expect((await runOf(chatId)).steps).toHaveLength(2), 10_000);
	await ask("terminate", id);
	await until(/terminated/);
	expect(await runOf(chatId)).toMatchObject({ status: "running" });
	// As Cloudflare documents it; Miniflare has queues, but no event subscriptions.
	const metadata = { accountId: "a", eventSubscriptionId: "s", eventSchemaVersion: 1, eventTimestamp: new Date() };
	const message = (type: string, workflowName: string) =>
		ask("send", undefined, {
			type: `cf.workflows.workflow.instance.${type}`,
			source: { type: "workflows.workflow", workflowName },
			payload: { versionId: "v1", instanceId: id },
			metadata,
		});
	await message("terminated", "another");
	await message("terminated", "research");
	await vi.waitFor(async () => expect((await runOf(chatId)).status).toBe("cancelled"), 10_000);
	expect(outline(await runOf(chatId))).toMatchObject([
		{ name: "before", status: "completed" },
		{ name: "approval", status: "cancelled" },
	]);
});
