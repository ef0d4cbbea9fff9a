import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { text } from "node:stream/consumers";
import { type BaseEvent, EventType } from "@ag-ui/core";
import { EventEncoder } from "@ag-ui/encoder";
import { uuidFor } from "edge-runs/recorder";
import { describe, expect, inject, it, onTestFinished } from "vitest";
import { USER } from "./global-setup.ts";
import { outline, recording } from "./recording.ts";

const { RUN_STARTED, RUN_FINISHED, STEP_STARTED, STEP_FINISHED } = EventType;

/** A chat that is registered, as a recorder would do it. */
async function registered() {
	const { url, token } = inject("service");
	const { chatId, runs } = recording();
	const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
	const body = JSON.stringify({ userId: USER });
	expect((await fetch(`${url}/api/chats/${chatId}`, { method: "PUT", headers, body })).status).toBe(201);
	const send = (body: BodyInit, type: string, query = "") => {
		const headers = { authorization: `Bearer ${token}`, "content-type": type };
		return fetch(`${url}/api/chats/${chatId}/ag-ui-events${query}`, { method: "POST", headers, body });
	};
	return { chatId, runs, send };
}

const told = (runId: string): BaseEvent[] =>
	[
		{ type: RUN_STARTED, threadId: "t", runId },
		{ type: EventType.TEXT_MESSAGE_START, messageId: "m", role: "assistant" },
		{ type: EventType.TEXT_MESSAGE_CONTENT, messageId: "m", delta: "line\nline \u2028 ✓" },
		{ type: EventType.TEXT_MESSAGE_END, messageId: "m" },
		{ type: STEP_STARTED, stepName: "look" },
		{ type: EventType.TOOL_CALL_START, toolCallId: "c", toolCallName: "weather" },
		{ type: EventType.TOOL_CALL_ARGS, toolCallId: "c", delta: "{}" },
		{ type: EventType.TOOL_CALL_END, toolCallId: "c" },
		{ type: EventType.TOOL_CALL_RESULT, toolCallId: "c", messageId: "r", content: "sunny" },
		{ type: STEP_FINISHED, stepName: "look" },
		{ type: RUN_FINISHED, threadId: "t", runId },
	] as BaseEvent[];

const recorded = [
	{ id: "step:look-1", name: "look", status: "completed" },
	{ id: "tool:c", name: "weather", status: "completed", parentId: "step:look-1" },
];

describe("a stream that @ag-ui/encoder wrote is recorded over HTTP", () => {
	it("as it is", async () => {
		const { chatId, runs, send } = await registered();
		const encoder = new EventEncoder();
		const stream = told(chatId)
			.map((event) => encoder.encode(event))
			.join("");
		const response = await send(stream, encoder.getContentType(), "?workflow=weather");
		expect(response.status).toBe(201);
		const [run] = await runs();
		expect(run).toMatchObject({ id: chatId, status: "completed", workflowName: "weather" });
		expect(run && outline(run)).toEqual(recorded);
	});

	it("in parts as they come, each of them twice", async () => {
		const { chatId, runs, send } = await registered();
		const encoder = new EventEncoder();
		const events = told(chatId).map((event, index) => ({ ...event, timestamp: Date.now() + index }));
		for (const end of [1, 5, 6, 9, events.length]) {
			const start = [0, 1, 5, 6, 9][[1, 5, 6, 9, events.length].indexOf(end)];
			const part = events
				.slice(start, end)
				.map((event) => encoder.encode(event))
				.join("");
			for (const _ of [1, 2]) {
				const response = await send(part, "text/event-stream", `?runId=${chatId}`);
				expect(response.ok, await response.text()).toBe(true);
			}
		}
		const [run] = await runs();
		expect(run?.status).toBe("completed");
		expect(run && outline(run)).toEqual(recorded);
	});
});

/** The document's sender, with an agent that tells the events it reads, and does nothing else. */
const blocks = [
	...readFileSync(path.join(import.meta.dirname, "../../docs/engines/ag-ui.md"), "utf8").matchAll(
		/^```python\n([\s\S]*?)^```$/gm,
	),
].map(([, block]) => block as string);

/** A proxy before the service that answers two requests by itself: as one does behind which nothing is, then not in HTTP. */
async function failingProxy(url: string) {
	let requests = 0;
	const proxy = createServer(async (request, response) => {
		const body = await text(request);
		requests++;
		if (requests === 1) return response.writeHead(502, { "retry-after": new Date().toUTCString() }).end("no gateway");
		if (requests === 2) return request.socket.end("nonsense\r\n\r\n");
		const headers = { authorization: `${request.headers.authorization}`, "content-type": "application/x-ndjson" };
		const answer = await fetch(`${url}${request.url}`, { method: "POST", headers, body });
		return response.writeHead(answer.status).end(await answer.text());
	}).listen(0);
	await once(proxy, "listening");
	return { url: `http://localhost:${(proxy.address() as AddressInfo).port}`, close: () => void proxy.close() };
}

it("the document's sender in Python records a run of large results through failures, and says nothing to the agent of a refusal", async () => {
	const { url, token } = inject("service");
	const { chatId, runs } = await registered();
	const proxy = await failingProxy(url);
	onTestFinished(proxy.close);
	const [sender, use] = blocks as [string, string];
	const run = (events: BaseEvent[]) => {
		const names = { token, chat_id: chatId, question: "weather?" };
		const program = [
			"import sys",
			sender,
			`for name, value in json.loads(sys.argv[1]).items(): globals()[name] = value`,
			"class agent:",
			"    def run(question):",
			"        for event in json.loads(sys.argv[2]):",
			// More than a body may take, and what is no JSON.
			'            if "content" in event: event["content"] = "x" * 2_000_000',
			'            if event["type"] == "RUN_FINISHED": event["outcome"] = { "type": "success", "at": object() }',
			"            yield event",
			use.replace("https://YOUR-WORKER", proxy.url),
		].join("\n");
		const child = spawn("python3", ["-c", program, JSON.stringify(names), JSON.stringify(events)]);
		return new Promise<{ code: number | null; output: string }>((resolve, reject) => {
			let output = "";
			for (const stream of [child.stdout, child.stderr])
				stream.on("data", (chunk) => {
					output += chunk;
				});
			child.on("error", reject).on("close", (code) => resolve({ code, output }));
		});
	};
	expect(await run(told(`python ${chatId}`))).toEqual({ code: 0, output: "" });
	const [found, ...others] = await runs();
	expect(others).toEqual([]);
	expect(found).toMatchObject({
		id: uuidFor("ag-ui", `python ${chatId}`),
		status: "completed",
		workflowName: "researcher",
	});
	expect(found && outline(found)).toEqual(recorded);
	const refused = await run([{ type: STEP_STARTED, stepName: "look" } as BaseEvent]);
	expect(refused).toEqual({ code: 0, output: expect.stringContaining("INVALID_BODY") });
});
