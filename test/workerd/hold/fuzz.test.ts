import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { app } from "../../../src/app.ts";
import { withDeadline } from "../../../src/deadline.ts";
import { conforming } from "../conforms.ts";
import { OPERATOR_TOKENS, TOKENS } from "../recording/recorder.ts";
import { anyRequest, type Sent } from "./fuzz/requests.ts";
import { makeWorld, SECRET, TOKEN as SESSION_TOKEN } from "./fuzz/world.ts";

/** `npm run fuzz` sets them: for so long, from this seed. Else some of them, from a new seed each time. */
const seconds = Number(env.FUZZ_SECONDS) || null;
const seed = Number(env.FUZZ_SEED) || Math.floor(Math.random() * 0x7fffffff);
const REQUESTS = 1_500;
/** So that the fuzz cannot come to send nothing but nonsense, of which all is refused at the door. */
const MET = [200, 201, 400, 401, 404, 405];

/** An answer that takes longer hangs: nothing here waits for anything but local stores. */
const PATIENCE_SECONDS = 10;

let cookie: string;
beforeAll(async () => {
	cookie = await makeWorld();
	for (const method of ["log", "error"] as const) {
		vi.spyOn(console, method).mockImplementation((line) => void log.push(String(line)));
	}
});
afterAll(async () => {
	// Streams take so long to see that their client has gone, and say so in the log.
	await new Promise((resolve) => setTimeout(resolve, 1_500));
	vi.restoreAllMocks();
});

/** The service's lines for the latest request. */
let log: string[] = [];
const say = (text: string) => console.info(text);

function checkLog(): void {
	for (const line of log) {
		JSON.parse(line);
		const secret = [SESSION_TOKEN, env.BETTER_AUTH_SECRET, ...TOKENS, ...OPERATOR_TOKENS].find((each) =>
			line.includes(each),
		);
		if (secret !== undefined) throw new Error(`a secret in the log: ${line}`);
	}
	if (!log.some((line) => line.includes('"event":"request"'))) throw new Error("no log line");
	log = [];
}

/** Null for what no client could send: the platform itself refuses it. */
function toRequest({ path, ...init }: Sent): Request | null {
	try {
		return new Request(`http://edge-runs.test${path}`, init);
	} catch {
		return null;
	}
}

async function answer(request: Request): Promise<Response> {
	const context = createExecutionContext();
	const response = await app.fetch(request.clone(), env, context);
	await waitOnExecutionContext(context);
	return conforming(request, response);
}

/** An answer's body; of a stream, which does not end by itself, what it begins with. */
async function read(response: Response): Promise<string> {
	if (!response.headers.get("content-type")?.startsWith("text/event-stream"))
		return new TextDecoder().decode(await response.arrayBuffer());
	const reader = response.body?.getReader();
	let text = "";
	while (reader && !text.includes("data: ")) {
		const { done, value } = await reader.read();
		if (done) break;
		text += new TextDecoder().decode(value);
	}
	await reader?.cancel();
	return text;
}

const answered = new Map<number, number>();

const TYPES = /^(application\/json|application\/x-ndjson|text\/html; charset=UTF-8|text\/event-stream)$/;

async function check(sent: Sent): Promise<void> {
	const request = toRequest(sent);
	if (!request) return;
	const { response, text } = await withDeadline(
		answer(request).then(async (response) => ({ response, text: await read(response) })),
		PATIENCE_SECONDS,
	);
	checkLog();
	const { status, headers } = response;
	const what = `${status} ${text.slice(0, 500)}`;
	answered.set(status, (answered.get(status) ?? 0) + 1);
	if (status >= 500) throw new Error(`a fault of the server's: ${what}`);
	if (!/^[\w=-]{1,255}$/.test(headers.get("x-request-id") ?? "")) throw new Error(`no request id: ${what}`);
	if (text.includes(SECRET)) throw new Error(`a stranger's run: ${what}`);
	if (text === "") return;
	const type = headers.get("content-type") ?? "";
	if (!TYPES.test(type)) throw new Error(`content-type ${type}: ${what}`);
	if (type !== "application/json") return;
	const body = JSON.parse(text) as { code?: string; requestId?: string };
	if (status >= 400 && body.requestId !== headers.get("x-request-id")) throw new Error(`another request id: ${what}`);
}

describe("whatever is sent", () => {
	it("is answered, never by a 5xx, by the published schema, and with nothing of a stranger's", {
		timeout: (seconds ?? 60) * 1000 + 30_000,
	}, async () => {
		if (seconds) say(`fuzzing for ${seconds} s; again: npm run fuzz -- --seconds ${seconds} --seed ${seed}`);
		const until = seconds === null ? {} : { interruptAfterTimeLimit: seconds * 1000 };
		const numRuns = seconds === null ? REQUESTS : Number.MAX_SAFE_INTEGER;
		await fc.assert(fc.asyncProperty(anyRequest(cookie), check), { seed, numRuns, ...until });
		if (seconds) say(`answered, by status: ${JSON.stringify(Object.fromEntries(answered))}`);
		expect([...answered.keys()]).toEqual(expect.arrayContaining(MET));
	});
});
