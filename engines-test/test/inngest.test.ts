import { inngestRecorder } from "edge-runs/engines/inngest";
import { uuidFor } from "edge-runs/recorder";
import { type GetStepTools, Inngest, Middleware, NonRetriableError } from "inngest";
import { expect, it } from "vitest";
import { runFunction } from "./inngest-server.ts";
import { outline, recording } from "./recording.ts";

type Step = GetStepTools<Inngest>;

/** Has the SDK run a function whose runs are recorded. */
async function play(work: (step: Step) => Promise<unknown>, maxAttempts = 1) {
	const { recorder, chatId, userId, runs } = recording();
	const chat = ({ event }: { event: { data: { chatId: string } } }) => ({ chatId: event.data.chatId, userId });
	const middleware = [inngestRecorder(Middleware.BaseMiddleware, { recorder, chat, outputs: true })];
	const client = new Inngest({ id: "app", isDev: true, middleware, logger: silent });
	const fn = client.createFunction({ id: "research", triggers: [{ event: "asked" }] }, ({ step }) => work(step));
	const runId = `01H-${chatId}`;
	const outcome = await runFunction(client, fn, { runId, data: { chatId }, maxAttempts });
	const [run, ...others] = await runs();
	expect(others).toEqual([]);
	if (!run) throw new Error("No run was recorded");
	expect(run).toMatchObject({ id: uuidFor("inngest", runId), externalId: runId, workflowName: "research" });
	return { run, outcome };
}

const silent = { info() {}, warn() {}, error() {}, debug() {} };
const byName = (a: { name?: string | undefined }, b: { name?: string | undefined }) =>
	(a.name ?? "") < (b.name ?? "") ? -1 : 1;

it("records a function: steps, those side by side, sleeps, outputs", async () => {
	const { run, outcome } = await play(async (step) => {
		const plan = await step.run("plan", () => "a plan");
		await step.sleep("rest", "1h");
		const parts = await Promise.all([step.run("part", () => 1), step.run("part", () => 2)]);
		return { plan, parts };
	});
	expect(outcome).toEqual({ output: { plan: "a plan", parts: [1, 2] } });
	expect(run).toMatchObject({ status: "completed", output: { plan: "a plan", parts: [1, 2] } });
	expect(outline(run).map(({ id: _, ...step }) => step)).toEqual(
		expect.arrayContaining([
			{ name: "plan", status: "completed", output: "a plan" },
			{ name: "rest", status: "completed" },
			{ name: "part", status: "completed", output: 1 },
			{ name: "part", status: "completed", output: 2 },
		]),
	);
	expect(new Set(run.steps.map(({ id }) => id)).size).toBe(4);
});

it("records a step's attempts, and the step as completed in the end", async () => {
	let attempts = 0;
	const { run } = await play(async (step) => {
		return step.run("flaky", () => {
			if (++attempts < 3) throw new Error("no luck");
			return attempts;
		});
	}, 4);
	expect(run.status).toBe("completed");
	expect(outline(run)).toMatchObject([{ name: "flaky", status: "completed", attempt: 3, output: 3 }]);
	expect(run.steps[0]).not.toHaveProperty("error");
});

it("records a failure, after the last attempt and by an error that no attempt mends", async () => {
	for (const error of [new Error("it broke"), new NonRetriableError("it broke")]) {
		const { run, outcome } = await play(async (step) => {
			await step.run("fine", () => 1);
			return step.run("broken", () => {
				throw error;
			});
		}, 2);
		expect(outcome).toHaveProperty("error");
		const failed = { status: "failed", error: { message: "it broke" } };
		expect(run).toMatchObject(failed);
		expect(outline(run).sort(byName)).toMatchObject([
			{ name: "broken", ...failed },
			{ name: "fine", status: "completed" },
		]);
	}
});

it("leaves alone what belongs to no chat, and the function's own errors to Inngest", async () => {
	const { recorder, runs } = recording();
	const chat = () => {
		throw new Error("a bug in the app's own code");
	};
	const middleware = [inngestRecorder(Middleware.BaseMiddleware, { recorder, chat })];
	const client = new Inngest({ id: "app", isDev: true, middleware, logger: silent });
	const fn = client.createFunction({ id: "research", triggers: [{ event: "asked" }] }, ({ step }) =>
		step.run("one", () => 1),
	);
	expect(await runFunction(client, fn, { runId: "01H", data: {}, maxAttempts: 1 })).toEqual({ output: 1 });
	void runs;
});
