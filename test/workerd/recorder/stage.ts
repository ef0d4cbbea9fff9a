import { exports } from "cloudflare:workers";
import { createRecorder, type RecorderError, type RecorderOptions } from "#recorder/index.ts";
import type { WorkflowRun } from "../../../src/workflow-runs/schemas.ts";
import { uuid } from "../helpers.ts";
import { type OwnedChat, recording, registeredChat as register, TOKENS } from "../recording/recorder.ts";

export interface Stage {
	readonly recorder: ReturnType<typeof createRecorder>;
	readonly errors: RecorderError[];
	/** Those that reached `fetch`, in their order. */
	readonly requests: Request[];
}

/** What happens to a request on its way: it is lost, or something else answers. */
export type OnTheWay = (request: Request, nth: number) => Response | Error | undefined;

/** A recorder over HTTP to the real Worker. It retries at once, so that no test waits. */
export function overHttp(onTheWay: OnTheWay = () => undefined, options: RecorderOptions = {}): Stage {
	const errors: RecorderError[] = [];
	const requests: Request[] = [];
	const recorder = createRecorder({
		url: "http://edge-runs.test",
		token: TOKENS[0],
		delayMilliseconds: 0,
		retryMilliseconds: 1,
		onError: (error) => errors.push(error),
		fetch: async (input, init) => {
			const request = new Request(input, init);
			requests.push(request.clone());
			const answer = onTheWay(request.clone(), requests.length);
			if (answer instanceof Error) throw answer;
			return answer ?? exports.default.fetch(request);
		},
		...options,
	});
	return { recorder, errors, requests };
}

/** A recorder over a service binding to the real entrypoint, by RPC. */
export function overBinding(options: RecorderOptions = {}): Stage {
	const errors: RecorderError[] = [];
	const recorder = createRecorder({
		binding: exports.WorkflowRunRecorder,
		delayMilliseconds: 0,
		retryMilliseconds: 1,
		onError: (error) => errors.push(error),
		...options,
	});
	return { recorder, errors, requests: [] };
}

/** What the chat's owner sees, once all that was written until now is visible. */
export async function list({ chat, user, cookie }: OwnedChat): Promise<WorkflowRun[]> {
	const url = `http://edge-runs.test/api/chats/${chat}`;
	// Changes nothing, and its bookmark is that of the newest write.
	const again = await exports.default.fetch(new Request(url, recording("PUT", { userId: user })));
	const bookmark = again.headers.get("x-d1-bookmark");
	const headers = { cookie, ...(bookmark && { "x-d1-bookmark": bookmark }) };
	const response = await exports.default.fetch(new Request(`${url}/workflow-runs`, { headers }));
	if (!response.ok) throw new Error(`the list answered ${response.status}`);
	return ((await response.json()) as { data: { workflowRuns: WorkflowRun[] } }).data.workflowRuns;
}

/** A registered chat; `remove` deletes it. */
export async function registeredChat(): Promise<OwnedChat & { remove(): Promise<void> }> {
	const chat = await register();
	const url = `http://edge-runs.test/api/chats/${chat.chat}`;
	return { ...chat, remove: async () => void (await exports.default.fetch(new Request(url, recording("DELETE")))) };
}

export { type OwnedChat, uuid };
