import { randomUUID } from "node:crypto";
import type { WorkflowRun } from "edge-runs/client";
import { createRecorder, type RecorderError, uuidFor } from "edge-runs/recorder";
import { expect, inject, onTestFinished } from "vitest";
import { USER } from "./global-setup.ts";

/** A recorder to the real service, a chat, and what the service serves of it to the chat's owner. */
export function recording() {
	const { url, token, cookie } = inject("service");
	const errors: RecorderError[] = [];
	const recorder = createRecorder({ url, token, delayMilliseconds: 1, onError: (error) => errors.push(error) });
	const chatId = randomUUID();
	onTestFinished(async () => {
		await recorder.close();
		// A recorder hides every error from the workflow; from a test nothing is to be hidden.
		expect(errors).toEqual([]);
	});
	return {
		recorder,
		chatId,
		userId: USER,
		/** The chat's runs, when all that was reported is sent. */
		async runs(chat: string = chatId): Promise<WorkflowRun[]> {
			await recorder.flush();
			return readRuns(url, cookie, uuidFor("chat", chat));
		},
	};
}

export async function readRuns(url: string, cookie: string, chatId: string): Promise<WorkflowRun[]> {
	// A page comes from D1; the whole list may be as old as its fresh window.
	const response = await fetch(`${url}/api/chats/${chatId}/workflow-runs?limit=100`, { headers: { cookie } });
	expect(response.status).toBe(200);
	const { data } = (await response.json()) as { data: { workflowRuns: WorkflowRun[] } };
	return data.workflowRuns;
}

/** Steps as a test likes to compare them: without what differs from run to run. */
export function outline({ steps }: WorkflowRun) {
	return steps.map(({ startedAt: _, completedAt: __, position: ___, ...step }) => step);
}
