import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { uuidFor } from "#recorder/index.ts";
import { signIn } from "../helpers.ts";
import { list, overBinding, overHttp, registeredChat, type Stage, uuid } from "./stage.ts";

const time = expect.stringMatching(/^\d{4}-.*\.\d{3}Z$/);

describe.each<[string, () => Stage]>([
	["HTTP", () => overHttp()],
	["a service binding", () => overBinding()],
])("a recorder over %s", (_, open) => {
	it("records a run with steps, nested and beside each other, and registers its chat", async () => {
		const { recorder, errors } = open();
		const user = uuid();
		const thread = `thread ${uuid()}`;
		const { cookie } = await signIn(user);
		const run = recorder.run({
			chatId: thread,
			userId: user,
			workflow: "Answer",
			id: `job ${uuid()}`,
			messageId: "m-1",
		});
		const plan = await run.step("plan", async (step) => {
			step.output({ searches: 2 });
			await Promise.all([step.step("search", () => 1), step.step("search", async () => 2)]);
			return "the plan";
		});
		run.metrics({ tokens: 5 });
		run.metrics({ tokens: 1200 });
		run.end({ plan });
		await recorder.flush();
		expect(errors).toEqual([]);

		const chat = uuidFor("chat", thread);
		expect(run.chatId).toBe(chat);
		const done = { status: "completed", startedAt: time, completedAt: time };
		expect(await list({ chat, user, cookie })).toEqual([
			{
				id: run.id,
				chatId: chat,
				workflowId: uuidFor("workflow", "Answer"),
				workflowName: "Answer",
				externalId: expect.stringMatching(/^job /),
				messageId: "m-1",
				...done,
				output: { plan: "the plan" },
				metrics: { tokens: 1200 },
				steps: [
					{ id: "plan", name: "plan", position: 0, ...done, output: { searches: 2 } },
					{ id: "plan/search", name: "search", position: 1, parentId: "plan", ...done },
					{ id: "plan/search#2", name: "search", position: 2, parentId: "plan", ...done },
				],
			},
		]);
	});

	it("records a failure, which is thrown on, a retry of a step, and a cancellation", async () => {
		const { recorder, errors } = open();
		const chat = await registeredChat();
		const failed = recorder.run({ chatId: chat.chat, workflow: uuid() }, (run) =>
			run.step("fetch", () => Promise.reject(new TypeError("network down"))),
		);
		await expect(failed).rejects.toThrow(new TypeError("network down"));
		const retried = recorder.run({ chatId: chat.chat, workflow: "Retry" });
		await retried.step("flaky", async (step) => {
			step.activity("Trying again", { progress: 0.5 });
			step.attempt(2);
		});
		retried.end();
		const stopped = recorder.run({ chatId: chat.chat, workflow: "Stop" });
		stopped.cancel("The user stopped it");
		stopped.end();
		const aborted = recorder.run({ chatId: chat.chat, workflow: "Abort" }, () => AbortSignal.abort().throwIfAborted());
		await expect(aborted).rejects.toThrow(/abort/);
		await recorder.flush();
		expect(errors).toEqual([]);
		const runs = await list(chat);
		expect(runs).toHaveLength(4);
		expect(runs).toEqual(
			expect.arrayContaining([
				expect.objectContaining({
					status: "failed",
					error: { message: "network down" },
					steps: [expect.objectContaining({ status: "failed", error: { message: "network down" } })],
				}),
				expect.objectContaining({
					workflowName: "Retry",
					status: "completed",
					steps: [expect.objectContaining({ status: "completed", attempt: 2 })],
				}),
				expect.objectContaining({
					workflowName: "Stop",
					status: "cancelled",
					error: { message: "The user stopped it" },
				}),
				expect.objectContaining({ workflowName: "Abort", status: "cancelled" }),
			]),
		);
	});

	it("shows what a run is doing while it lasts, and ends it at the end of its block", async () => {
		const { recorder } = open();
		const chat = await registeredChat();
		{
			await using run = recorder.run({ chatId: chat.chat, workflow: "Ask" });
			run.activity("Reading", { progress: 0.1 });
			run.activity("Waiting for an approval", { waiting: true });
			await recorder.flush();
			expect(await list(chat)).toMatchObject([
				{ status: "running", activity: { at: time, message: "Waiting for an approval", waiting: true } },
			]);
		}
		await recorder.flush();
		const [run] = await list(chat);
		expect(run).toMatchObject({ status: "completed" });
		expect(run).not.toHaveProperty("activity");
	});

	it("takes an adapter's states in any order, and twice", async () => {
		const { recorder } = open();
		const chat = await registeredChat();
		const run = { id: uuid(), workflowId: uuid() };
		const states = [
			{ ...run, status: "pending" },
			{ ...run, status: "running", startedAt: "2024-02-04T12:00:00Z", steps: [{ id: "a", status: "running" }] },
			{ ...run, status: "completed", completedAt: "2024-02-04T13:01:30+01:00" },
		] as const;
		for (const state of [states[2], states[0], states[2], states[1]]) {
			recorder.report({
				chatId: chat.chat.toUpperCase(),
				run: { ...state, steps: [...("steps" in state ? state.steps : [])] },
			});
			await recorder.flush();
		}
		expect(await list(chat)).toMatchObject([
			{
				status: "completed",
				startedAt: "2024-02-04T12:00:00.000Z",
				completedAt: "2024-02-04T12:01:30.000Z",
				steps: [{ id: "a", status: "running" }],
			},
		]);
	});

	it("does not bring back a chat that was deleted meanwhile", async () => {
		const { recorder, errors } = open();
		const chat = await registeredChat();
		const run = recorder.run({ chatId: chat.chat, userId: chat.user, workflow: "Long" });
		await recorder.flush();
		await chat.remove();
		run.end();
		await recorder.flush();
		expect(errors).toMatchObject([{ kind: "refused", code: "CHAT_DELETED", chatId: chat.chat, runIds: [run.id] }]);
		const stored = await env.DB.prepare("select deleted_at from chats where id = ?")
			.bind(chat.chat)
			.first("deleted_at");
		expect(stored).not.toBeNull();
	});

	it("reports nothing of one user into another's chat", async () => {
		const { recorder, errors } = open();
		const chat = await registeredChat();
		const run = recorder.run({ chatId: chat.chat, userId: uuid(), workflow: "Spy" });
		await recorder.flush();
		expect(errors).toMatchObject([{ kind: "refused", code: "CHAT_CONFLICT", runIds: [run.id] }]);
		expect(await list(chat)).toEqual([]);
	});
});
