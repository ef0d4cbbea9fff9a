import { describe, expect, it } from "vitest";
import type { WorkflowRunItem, WorkflowRunList } from "../../../src/workflow-runs/schemas.ts";
import { insertChat, insertRuns, request, runsPath, signIn, uuid } from "../helpers.ts";

async function chatWithRuns() {
	const user = uuid();
	const { cookie } = await signIn(user);
	const chat = await insertChat(user);
	const ids = await insertRuns(chat, [
		{ steps: '[{"id":"step-1","status":"pending","startedAt":null,"completedAt":null}]' },
		{ status: "failed", error: '{"message":"It broke"}' },
	]);
	return { user, chat, ids, headers: { cookie } };
}

describe("one run", () => {
	it("is what the list holds of it", async () => {
		const { chat, ids, headers } = await chatWithRuns();
		const list = await (await request(runsPath(chat), { headers })).json<WorkflowRunList>();
		for (const id of ids) {
			const response = await request(`${runsPath(chat)}/${id}`, { headers });
			expect(response.status).toBe(200);
			expect(response.headers.get("content-type")).toBe("application/json");
			const { workflowRun } = (await response.json<WorkflowRunItem>()).data;
			expect(workflowRun).toStrictEqual(list.data.workflowRuns.find((run) => run.id === id));
		}
	});

	it("is found whatever the case of its id", async () => {
		const { chat, ids, headers } = await chatWithRuns();
		const response = await request(`${runsPath(chat.toUpperCase())}/${ids[0]?.toUpperCase()}`, { headers });
		expect((await response.json<WorkflowRunItem>()).data.workflowRun).toMatchObject({ id: ids[0], chatId: chat });
	});

	it("is unknown under any other chat, of the same owner too", async () => {
		const { user, ids, headers } = await chatWithRuns();
		const response = await request(`${runsPath(await insertChat(user))}/${ids[0]}`, { headers });
		expect(response.status).toBe(404);
		expect(await response.json()).toMatchObject({ code: "RUN_NOT_FOUND", message: "Workflow run does not exist" });
	});

	it("is unknown if it was never recorded", async () => {
		const { chat, headers } = await chatWithRuns();
		const response = await request(`${runsPath(chat)}/${uuid()}`, { headers });
		expect(response.status).toBe(404);
		expect(await response.json()).toMatchObject({ code: "RUN_NOT_FOUND" });
	});

	it("needs a well-formed id; a malformed chat id is named first", async () => {
		const { chat, headers } = await chatWithRuns();
		const run = await request(`${runsPath(chat)}/run-uuid-1`, { headers });
		expect(run.status).toBe(400);
		expect(await run.json()).toMatchObject({ code: "INVALID_RUN_ID", message: "Invalid workflow run ID format" });
		const both = await request(`${runsPath("chat-1")}/run-uuid-1`, { headers });
		expect(both.status).toBe(400);
		expect(await both.json()).toMatchObject({ code: "INVALID_CHAT_ID" });
	});
});
