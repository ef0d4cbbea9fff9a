import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { expect, it, vi } from "vitest";
import { list, overBinding, overHttp, registeredChat, uuid } from "./stage.ts";

/*
 * What is different on Workers: nothing outlives a request but what `waitUntil` is given.
 */

const running = () => ({ id: uuid(), workflowId: uuid(), status: "running" as const });

it("is sent after the response, where the recorder is given waitUntil", async () => {
	const chat = await registeredChat();
	const ctx = createExecutionContext();
	const { recorder } = overBinding({ waitUntil: (promise) => ctx.waitUntil(promise), delayMilliseconds: 20 });
	recorder.report({ chatId: chat.chat, run: running() });
	recorder.report({ chatId: chat.chat, run: running() });
	await waitOnExecutionContext(ctx);
	expect(await list(chat)).toHaveLength(2);
});

it("gives waitUntil one promise for all that waits, and another one when something waits again", async () => {
	const chat = await registeredChat();
	const promises: Promise<unknown>[] = [];
	const { recorder } = overBinding({ waitUntil: (promise) => void promises.push(promise) });
	for (let i = 0; i < 5; i++) recorder.report({ chatId: chat.chat, run: running() });
	expect(promises).toHaveLength(1);
	await promises[0];
	recorder.report({ chatId: chat.chat, run: running() });
	expect(promises).toHaveLength(2);
	await promises[1];
	expect(await list(chat)).toHaveLength(6);
});

it("says nothing by itself, as timers end with their request", async () => {
	const chat = await registeredChat();
	const set = vi.spyOn(globalThis, "setInterval");
	const { recorder } = overBinding();
	recorder.report({ chatId: chat.chat, run: running() });
	await recorder.flush();
	expect(set).not.toHaveBeenCalled();
	const asked = overHttp(undefined, { heartbeatSeconds: 60 });
	asked.recorder.report({ chatId: chat.chat, run: running() });
	expect(set).toHaveBeenCalledOnce();
	set.mockRestore();
	await asked.recorder.close();
});
