/** `npm run demo`: an engine that plays a workflow on a seeded chat, for a person to watch. */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { command, Stop } from "./command-line.ts";
import { playRun } from "./demo/play.ts";
import { WORKFLOW_NAME } from "./demo/workflow.ts";
import { CHATS } from "./seed/chats.ts";
import { USER } from "./seed/rows.ts";
import { sender } from "./send.ts";
import { parseOrigin, recorderToken } from "./tokens.ts";

const HELP = `Plays a workflow of six steps on the chat that the link of npm run dev opens, one run after another, until Ctrl+C:

  npm run demo

  --once        one run only
  --fail        each run fails; without it about one in four does
  --speed N     N times as fast: 0.1 to 100
  --url URL     where the service is: http://localhost:3026 unless given
  --help        says this

The service token is the environment's RECORDER_TOKEN; for a local service the first one of .dev.vars will do.`;

const FAILING_SHARE = 0.25;
const PAUSE_MILLISECONDS = 3_000;

const OPTIONS = {
	url: { type: "string", default: "http://localhost:3026" },
	speed: { type: "string", default: "1" },
	once: { type: "boolean", default: false },
	fail: { type: "boolean", default: false },
} as const;

await command(HELP, OPTIONS, async ({ values: options }) => {
	const speed = Number(options.speed);
	if (!(speed >= 0.1 && speed <= 100))
		throw new Stop(`--speed takes a number from 0.1 to 100, not "${options.speed}".`);
	const origin = parseOrigin(options.url);
	await requireService(origin);
	const send = sender(origin, recorderToken(origin));

	// Not the contract's chat: its example stays as it is documented.
	const chat = `/api/chats/${CHATS.everyStatus}`;
	const put = async (path: string, body: object) => {
		const { ok, code, message } = await send("PUT", path, JSON.stringify(body));
		if (!ok) throw new Stop(`PUT ${path} is refused: ${code} ${message}`);
	};
	// In a seeded service the chat exists already. Registering it again changes nothing.
	await put(chat, { userId: USER });

	const interruption = new AbortController();
	// A second Ctrl+C ends it at once.
	process.once("SIGINT", () => interruption.abort());
	const { signal } = interruption;
	// As if each run had set off the next.
	let parent: { parentRunId?: string } = {};
	do {
		const runId = randomUUID();
		const ids = { externalId: `demo-${runId.slice(0, 8)}`, messageId: `msg-${runId.slice(-4)}` };
		const fails = options.fail || Math.random() < FAILING_SHARE;
		await playRun({
			report: (body) => put(`${chat}/workflow-runs/${runId}`, body),
			say: say(runId),
			speed,
			fails,
			signal,
			details: { workflowName: WORKFLOW_NAME, ...ids, ...parent },
		});
		parent = { parentRunId: runId };
		if (!options.once) await sleep(PAUSE_MILLISECONDS / speed, undefined, { signal }).catch(() => {});
	} while (!options.once && !signal.aborted);
});

/** One line for each event: when, in which run, and what. */
function say(runId: string): (status: string, what: string) => void {
	return (status, what) =>
		console.log(`${new Date().toISOString().slice(11, 19)}  run ${runId.slice(0, 8)}  ${status.padEnd(9)}  ${what}`);
}

/** Fails at once if the service is not running, and says so. */
async function requireService(origin: URL): Promise<void> {
	const answer = await fetch(new URL("/api/health", origin)).catch(() => null);
	if (!answer)
		throw new Stop(`Nothing answers at ${origin.origin}. Start the service in another terminal: npm run dev`);
	await answer.body?.cancel();
}
