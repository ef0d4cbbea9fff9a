import { Mastra } from "@mastra/core";
import { createStep, createWorkflow } from "@mastra/core/workflows";
import { mastraRecorder } from "edge-runs/engines/mastra";
import { expect, it } from "vitest";
import { z } from "zod";
import { outline, recording } from "./recording.ts";

const any = { inputSchema: z.any(), outputSchema: z.any() };
const step = (id: string, execute: (context: never) => Promise<unknown>, more: object = {}) =>
	createStep({ id, ...any, ...more, execute: execute as never });
const give = (id: string, value: unknown = id) => step(id, async () => value);

it("records a workflow: steps, those side by side, another workflow's inside its step, loops, outputs", async () => {
	const { recorder, chatId, userId, runs } = recording();
	const mastra = mastraRecorder({ recorder, outputs: true });
	let failures = 1;
	const flaky = step(
		"flaky",
		async () => {
			if (failures-- > 0) throw new Error("no luck");
			return 2;
		},
		{ retries: 1 },
	);
	let laps = 0;
	const lap = step("lap", async () => ++laps);
	const inner = createWorkflow({ id: "inner", ...any, options: mastra.options })
		.then(give("deep"))
		.commit();
	const workflow = createWorkflow({ id: "research", ...any, options: mastra.options })
		.then(give("plan"))
		.parallel([give("a"), flaky])
		.then(inner)
		.dountil(lap, async () => laps === 2)
		.sleep(1)
		.commit();
	const run = mastra.record(await workflow.createRun(), { chatId, userId });
	const result = await run.start({ inputData: {} });
	expect(result.status).toBe("success");
	const [recorded, ...others] = await runs();
	expect(others).toEqual([]);
	expect(recorded).toMatchObject({
		id: run.runId,
		chatId,
		status: "completed",
		workflowName: "research",
		externalId: run.runId,
		output: 2,
	});
	const steps = recorded ? outline(recorded) : [];
	expect(steps).toEqual([
		{ id: "plan-1", name: "plan", status: "completed", output: "plan" },
		{ id: "a-1", name: "a", status: "completed", output: "a" },
		{ id: "flaky-1", name: "flaky", status: "completed", output: 2 },
		{ id: "inner-1", name: "inner", status: "completed", output: "deep" },
		{ id: "inner.deep-1", name: "deep", parentId: "inner-1", status: "completed", output: "deep" },
		{ id: "lap-1", name: "lap", status: "completed", output: 1 },
		{ id: "lap-2", name: "lap", status: "completed", output: 2 },
		{ id: expect.stringMatching(/^sleep_/), name: expect.stringMatching(/^sleep_/), status: "completed", output: 2 },
	]);
});

it("records how far a step for each item is", async () => {
	const { recorder, chatId, userId, runs } = recording();
	const mastra = mastraRecorder({ recorder });
	let see = (_: unknown) => {};
	const seen = new Promise((resolve) => {
		see = resolve;
	});
	const items = step("items", async ({ inputData }: { inputData: number }) => {
		// The first is done when the second begins.
		if (inputData === 2) see(await runs());
		return inputData;
	});
	const workflow = createWorkflow({ id: "each", ...any, options: mastra.options })
		.foreach(items)
		.commit();
	const run = mastra.record(await workflow.createRun(), { chatId, userId });
	await run.start({ inputData: [1, 2] });
	expect(await seen).toMatchObject([{ steps: [{ name: "items", activity: { message: "1 of 2", progress: 0.5 } }] }]);
	expect(await runs()).toMatchObject([{ status: "completed", steps: [{ name: "items", status: "completed" }] }]);
});

it("records a failure", async () => {
	const { recorder, chatId, userId, runs } = recording();
	const mastra = mastraRecorder({ recorder });
	const broken = step("broken", async () => {
		throw new Error("it broke");
	});
	const workflow = createWorkflow({ id: "breaks", ...any, options: mastra.options })
		.then(broken)
		.commit();
	const run = mastra.record(await workflow.createRun(), { chatId, userId });
	expect((await run.start({ inputData: {} })).status).toBe("failed");
	const error = { message: "it broke" };
	expect(await runs()).toMatchObject([
		{ status: "failed", error, steps: [{ name: "broken", status: "failed", error }] },
	]);
});

it("records a cancelled run", async () => {
	const { recorder, chatId, userId, runs } = recording();
	const mastra = mastraRecorder({ recorder });
	const workflow = createWorkflow({ id: "slow", ...any, options: mastra.options })
		.then(
			step("slow", async () => {
				await run.cancel();
			}),
		)
		.then(give("never"))
		.commit();
	const run = mastra.record(await workflow.createRun(), { chatId, userId });
	await run.start({ inputData: {} });
	const [recorded] = await runs();
	expect(recorded?.status).toBe("cancelled");
	expect(recorded?.steps.map(({ name }) => name)).toEqual(["slow"]);
});

it("records a suspended run as waiting, and its resume as the same run", async () => {
	const { recorder, chatId, userId, runs } = recording();
	const mastra = mastraRecorder({ recorder });
	const ask = step("ask", async (context: never) => {
		const { resumeData, suspend } = context as { resumeData?: unknown; suspend(payload: unknown): Promise<unknown> };
		return resumeData ?? suspend({ question: "Shall I?", options: ["yes"] });
	});
	const workflow = createWorkflow({ id: "asks", ...any, options: mastra.options })
		.then(ask)
		.commit();
	// It keeps what a suspended run needs, in memory.
	new Mastra({ workflows: { workflow }, logger: false });
	const run = mastra.record(await workflow.createRun(), { chatId, userId });
	await run.start({ inputData: {} });
	expect(await runs()).toMatchObject([
		{
			status: "running",
			activity: { waiting: true },
			steps: [{ name: "ask", status: "running", activity: { message: "Shall I?", waiting: true } }],
		},
	]);
	await run.resume({ step: "ask", resumeData: { answer: "yes" } });
	const [recorded] = await runs();
	expect(recorded).toMatchObject({ status: "completed", steps: [{ name: "ask", status: "completed" }] });
});
