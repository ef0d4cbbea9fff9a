import { afterEach, expect, it } from "vitest";
import { eventually } from "../helpers.ts";
import { runCron } from "../recording/recorder.ts";
import { list, overHttp, registeredChat, type Stage, uuid } from "./stage.ts";

const stages: Stage[] = [];
/** A recorder that says every fifth of a second, or less often, that its runs are alive. */
function beating(heartbeatSeconds = 0.2) {
	const stage = overHttp(undefined, { heartbeatSeconds });
	stages.push(stage);
	return stage;
}
afterEach(async () => {
	for (const { recorder } of stages.splice(0)) await recorder.close();
});

const bodyOf = async (request: Request | undefined) => {
	const body = (await request?.clone().json()) as { workflowRuns: Record<string, unknown>[] } | undefined;
	return body?.workflowRuns;
};

it("a run that is active and silent says that it is alive, by what it said last and a new moment", async () => {
	const { recorder, requests } = beating();
	const chat = await registeredChat();
	const run = recorder.run({ chatId: chat.chat, workflow: "Slow" });
	run.activity("Waiting for an approval", { waiting: true });
	await recorder.flush();
	const [before] = await list(chat);
	await eventually(() => expect(requests.length).toBeGreaterThan(2));
	await recorder.flush();
	const [after] = await list(chat);
	expect(after?.activity).toMatchObject({ message: "Waiting for an approval", waiting: true });
	expect((after?.activity?.at as string) > (before?.activity?.at as string)).toBe(true);
	expect(after?.status).toBe("running");

	run.end();
	await recorder.flush();
	const sent = requests.length;
	await new Promise((resolve) => setTimeout(resolve, 500));
	expect(requests).toHaveLength(sent);
	expect((await list(chat))[0]).toMatchObject({ status: "completed" });
});

it("a run that says nothing of what it does says that it runs", async () => {
	const { recorder, requests } = beating();
	const chat = await registeredChat();
	recorder.report({ chatId: chat.chat, run: { id: uuid(), workflowId: uuid(), status: "pending" } });
	await eventually(() => expect(requests.length).toBeGreaterThan(1));
	expect(await bodyOf(requests[1])).toMatchObject([{ status: "pending", activity: { message: "Queued" } }]);
});

it("a run that another process has ended, or told more of, is heard of in the answer", async () => {
	const { recorder, requests } = beating();
	const other = overHttp();
	const chat = await registeredChat();
	const run = { id: uuid(), workflowId: uuid() };
	const at = new Date(Date.now() + 1_000).toISOString();
	other.recorder.report({
		chatId: chat.chat,
		run: { ...run, status: "running", activity: { at, message: "Writing" } },
	});
	await other.recorder.flush();
	recorder.report({ chatId: chat.chat, run: { ...run, status: "running" } });
	await recorder.flush();
	await eventually(() => expect(requests.length).toBeGreaterThan(1));
	expect(await bodyOf(requests[1])).toMatchObject([{ activity: { message: "Writing" } }]);

	other.recorder.report({ chatId: chat.chat, run: { ...run, status: "failed", error: { message: "no" } } });
	await other.recorder.flush();
	// Its next word is its last, as the answer to it says that the run has ended.
	const heard = requests.length + 2;
	await new Promise((resolve) => setTimeout(resolve, 1_000));
	expect(requests.length).toBeLessThanOrEqual(heard);
});

it("a run that the service refused is not said to be alive", async () => {
	const { recorder, errors, requests } = beating();
	recorder.report({ chatId: uuid(), run: { id: uuid(), workflowId: uuid(), status: "running" } });
	await recorder.flush();
	expect(errors).toMatchObject([{ code: "CHAT_NOT_FOUND" }]);
	const sent = requests.length;
	await new Promise((resolve) => setTimeout(resolve, 500));
	expect(requests).toHaveLength(sent);
});

it("a run that the service gave up goes on saying that it is alive, and runs again", async () => {
	const { recorder } = beating(1);
	const chat = await registeredChat();
	const report = { chatId: chat.chat, run: { id: uuid(), workflowId: uuid(), status: "running" as const } };
	recorder.report(report);
	await recorder.flush();
	await runCron({ GIVE_UP_HOURS: "24" }, new Date(Date.now() + 90_000_000));
	// It says nothing new, and is answered with the run as it is.
	recorder.report(report);
	await recorder.flush();
	expect(await list(chat)).toMatchObject([{ status: "failed", assumed: true }]);
	await eventually(async () => expect(await list(chat)).toMatchObject([{ status: "running" }]));
});
