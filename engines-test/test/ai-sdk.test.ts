import { APICallError, generateText, isStepCount, streamText, tool } from "ai";
import { MockLanguageModelV4, simulateReadableStream } from "ai/test";
import { aiSdkRecorder } from "edge-runs/engines/ai-sdk";
import { uuidFor } from "edge-runs/recorder";
import { expect, it } from "vitest";
import { z } from "zod";
import { outline, recording } from "./recording.ts";

const usage = { inputTokens: { total: 10 }, outputTokens: { total: 5 } };
const text = (text: string) => ({
	content: [{ type: "text", text }],
	finishReason: { unified: "stop" },
	usage,
	warnings: [],
});
const call = (...cities: string[]) => ({
	content: cities.map((city) => {
		return { type: "tool-call", toolCallId: `call-${city}`, toolName: "weather", input: JSON.stringify({ city }) };
	}),
	finishReason: { unified: "tool-calls" },
	usage,
	warnings: [],
});
/** A model that answers with these, one after the other; an error it throws. */
function modelOf(...answers: unknown[]) {
	const next = async () => {
		const answer = answers.shift();
		if (answer instanceof Error) throw answer;
		return answer as never;
	};
	return new MockLanguageModelV4({ doGenerate: next });
}

const tools = {
	weather: tool({
		description: "The weather of a city",
		inputSchema: z.object({ city: z.string() }),
		execute: async ({ city }) => {
			if (city === "Atlantis") throw new Error("no such city");
			return `sunny in ${city}`;
		},
	}),
};

it("records a generation: its steps, tools side by side inside them, a tool's failure, outputs and tokens", async () => {
	const { recorder, chatId, userId, runs } = recording();
	const integrations = aiSdkRecorder({ recorder, chatId, userId, outputs: true });
	const answer = await generateText({
		model: modelOf(call("Rome", "Atlantis"), text("Sunny.")),
		tools,
		prompt: "weather?",
		stopWhen: isStepCount(3),
		telemetry: { integrations, functionId: "assistant" },
	});
	expect(answer.text).toBe("Sunny.");
	const [run, ...others] = await runs();
	expect(others).toEqual([]);
	expect(run).toMatchObject({
		chatId,
		status: "completed",
		workflowName: "assistant",
		externalId: expect.stringMatching(/^call-/),
		id: uuidFor("ai-sdk", run?.externalId ?? ""),
		output: "Sunny.",
		metrics: { inputTokens: 20, outputTokens: 10, totalTokens: 30 },
	});
	const inside = { name: "weather", parentId: "step-0" };
	expect(run && outline(run)).toEqual([
		{ id: "step-0", name: "mock-model-id", status: "completed" },
		{ id: "tool:call-Rome", status: "completed", ...inside, output: "sunny in Rome" },
		{ id: "tool:call-Atlantis", status: "failed", ...inside, error: { message: "no such city" } },
		{ id: "step-1", name: "mock-model-id", status: "completed", output: "Sunny." },
	]);
});

it("records a call that the SDK retries as one step, since it tells nothing of the attempts", async () => {
	const { recorder, chatId, userId, runs } = recording();
	const busy = new APICallError({
		message: "busy",
		url: "u",
		requestBodyValues: {},
		statusCode: 503,
		responseHeaders: { "retry-after-ms": "1" },
	});
	const telemetry = { integrations: aiSdkRecorder({ recorder, chatId, userId }) };
	await generateText({ model: modelOf(busy, text("at last")), prompt: "p", telemetry });
	expect(await runs()).toMatchObject([{ status: "completed", steps: [{ id: "step-0", status: "completed" }] }]);
});

it("records a failure", async () => {
	const { recorder, chatId, userId, runs } = recording();
	const telemetry = { integrations: aiSdkRecorder({ recorder, chatId, userId }) };
	await expect(generateText({ model: modelOf(new Error("it broke")), prompt: "p", telemetry })).rejects.toThrow();
	const error = { message: "it broke" };
	expect(await runs()).toMatchObject([{ status: "failed", error, steps: [{ id: "step-0", status: "failed", error }] }]);
});

it.each(["generateText", "streamText"])("records an aborted %s as cancelled", async (method) => {
	const { recorder, chatId, userId, runs } = recording();
	const telemetry = { integrations: aiSdkRecorder({ recorder, chatId, userId }) };
	const abort = new AbortController();
	const options = { prompt: "p", abortSignal: abort.signal, telemetry };
	if (method === "generateText") {
		const doGenerate = () => {
			abort.abort();
			return Promise.reject(abort.signal.reason);
		};
		await expect(generateText({ model: new MockLanguageModelV4({ doGenerate }), ...options })).rejects.toThrow();
	} else {
		const delta = { type: "text-delta", id: "1", delta: "x" };
		const chunks = [{ type: "stream-start", warnings: [] }, { type: "text-start", id: "1" }, delta, delta, delta];
		const stream = simulateReadableStream({ chunks: chunks as never[], chunkDelayInMs: 5 });
		const { textStream } = streamText({
			model: new MockLanguageModelV4({ doStream: { stream } as never }),
			...options,
		});
		for await (const _ of textStream) abort.abort();
	}
	const [run] = await runs();
	expect(run).toMatchObject({ status: "cancelled", steps: [{ id: "step-0", status: "cancelled" }] });
	expect(run).not.toHaveProperty("error");
});

it("finds the chat in the call's runtime context, for an integration that all calls share", async () => {
	const { recorder, chatId, userId, runs } = recording();
	const integrations = aiSdkRecorder({ recorder, workflow: "assistant" });
	const options = { prompt: "p", telemetry: { integrations, includeRuntimeContext: { chatId: true, userId: true } } };
	await generateText({ model: modelOf(text("hi")), runtimeContext: { chatId, userId }, ...options });
	// A call of no chat is not recorded.
	await generateText({ model: modelOf(text("hi")), prompt: "p", telemetry: { integrations } });
	expect(await runs()).toMatchObject([{ status: "completed", workflowName: "assistant" }]);
});
