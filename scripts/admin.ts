/** `npm run admin`: an operator's look at a chat, a run, a user or the service; and new tokens. */
import type { ServiceLook } from "../src/api/health-schemas.ts";
import { describeChat, describeRun, describeUser } from "./admin/describe.ts";
import { describeService } from "./admin/describe-service.ts";
import { printable } from "./admin/text.ts";
import { isKind, makeReadToken, makeToken } from "./admin/tokens.ts";
import { command, STOPPED, Stop } from "./command-line.ts";
import { sender } from "./send.ts";
import { operatorToken, parseOrigin } from "./tokens.ts";

const HELP = `Looks at a chat, a run, a user or the service, and changes nothing:

  npm run admin -- chat ID --url https://runs.example.com
  npm run admin -- run ID
  npm run admin -- user ID
  npm run admin -- health

Or makes a token:

  npm run admin -- token service
  npm run admin -- token operator
  npm run admin -- token read --user ID [--chat ID] [--minutes N]

  --url URL     where the service is: http://localhost:3026 unless given
  --json        prints the answer as it came, for programs
  --user ID     whose chats the read token opens
  --chat ID     the only chat that it opens
  --minutes N   how long it is good: 1 to 1440, 15 unless given
  --help        says this

The operator token is the environment's OPERATOR_TOKEN; for a local service the first one of .dev.vars will do. A read token
is signed by READ_TOKEN_SECRET, from the same places. A token that is made is all that goes to standard output.

Exit status: 0 it is there, and well; 1 there is no such chat, run or user, or the service is failing; 2 nothing was told.`;

const OPTIONS = {
	url: { type: "string", default: "http://localhost:3026" },
	json: { type: "boolean", default: false },
	user: { type: "string" },
	chat: { type: "string" },
	minutes: { type: "string", default: "15" },
} as const;

/** Where each subject is, and how it is shown. */
const SUBJECTS: Record<string, { path: string; describe: (data: never, now: number) => string[] }> = {
	chat: { path: "chats/", describe: describeChat },
	run: { path: "workflow-runs/", describe: describeRun },
	user: { path: "users/", describe: describeUser },
	health: { path: "health", describe: describeService },
};

const UUIDS = "Ids are UUIDs here: docs/recording.md says which one an engine's id has.";

/** What an error may come of, by its code. */
const HINTS = new Map([
	["INVALID_CHAT_ID", UUIDS],
	["INVALID_RUN_ID", UUIDS],
	["CHAT_NOT_FOUND", "It never was, or it was deleted and has been purged."],
	["RUN_NOT_FOUND", "It was never reported, or refused, or deleted by now."],
	["USER_NOT_FOUND", "Is it the id that the engine registers chats with?"],
]);

/** Somebody waits: a service that is down is soon said to be. */
const TRIES = 3;

await command(HELP, OPTIONS, ({ values, positionals }) => run(values, positionals), true);

interface Options {
	readonly url: string;
	readonly json: boolean;
	readonly user?: string;
	readonly chat?: string;
	readonly minutes: string;
}

async function run(options: Options, [what = "", ...rest]: readonly string[]): Promise<number> {
	if (what === "token") return printToken(rest, options);
	const subject = Object.hasOwn(SUBJECTS, what) ? SUBJECTS[what] : undefined;
	if (!subject) throw new Stop("At what? chat ID, run ID, user ID or health; or make a token. --help says more.");
	const ids = subject.path.endsWith("/") ? 1 : 0;
	// A path cannot name "." and "..".
	if (rest.length !== ids || rest.some((id) => /^\.{0,2}$/.test(id)))
		throw new Stop(ids > 0 ? `Which ${what}? npm run admin -- ${what} ID` : `${what} takes no id.`);
	const origin = parseOrigin(options.url);
	const send = sender(origin, operatorToken(origin), { tries: TRIES, kind: "operator" });
	const { ok, status, code, message, data } = await send(
		"GET",
		`/api/admin/${subject.path}${encodeURIComponent(rest[0] ?? "")}`,
	);
	if (!ok) {
		console.error(`${printable(message)}. ${HINTS.get(code) ?? ""}`.trimEnd());
		return status === 404 ? 1 : STOPPED;
	}
	console.log(options.json ? JSON.stringify(data, null, 2) : subject.describe(data as never, Date.now()).join("\n"));
	return what === "health" && (data as ServiceLook["data"]).health.status === "failing" ? 1 : 0;
}

async function printToken([kind, ...rest]: readonly string[], options: Options): Promise<number> {
	if (rest.length > 0 || !(kind === "read" || isKind(kind)))
		throw new Stop("Which token? token service, token operator or token read.");
	const { token, advice } = kind === "read" ? await makeReadToken(options) : makeToken(kind);
	console.error(advice);
	console.log(options.json ? JSON.stringify({ token }) : token);
	return 0;
}
