/*
 * What somebody writes on top of types that openapi-typescript made of the service's document: it records a run, reads it
 * back and prints what it got. The test compiles it, and runs it against the service.
 */
import createClient from "openapi-fetch";
import type { components, paths } from "./generated/schema.d.ts";

const [baseUrl, token, cookie, chatId, runId, workflowId] = process.argv.slice(2) as [
	string,
	string,
	string,
	string,
	string,
	string,
];

const recorder = createClient<paths>({ baseUrl, headers: { authorization: `Bearer ${token}` } });
const reader = createClient<paths>({ baseUrl, headers: { cookie } });

// Nothing but what a report must have.
const report: components["schemas"]["WorkflowRunReport"] = { workflowId, status: "running" };

const recorded = await recorder.PUT("/api/chats/{chatId}/workflow-runs/{runId}", {
	params: { path: { chatId, runId } },
	body: report,
});
const listed = await reader.GET("/api/chats/{chatId}/workflow-runs", {
	params: { path: { chatId }, query: { status: ["running", "pending"], limit: 5 } },
});
const refused = await reader.GET("/api/chats/{chatId}/workflow-runs", { params: { path: { chatId: runId } } });

// Each of these compiles only if the document says what they are.
const status: components["schemas"]["WorkflowRunStatus"] | undefined = recorded.data?.data.workflowRun.status;
const ids: string[] = listed.data?.data.workflowRuns.map((run) => run.id) ?? [];
const code: "CHAT_NOT_FOUND" | (string & {}) | undefined = refused.error?.code;

console.log(JSON.stringify({ created: recorded.response.status, status, ids, refused: code }));
