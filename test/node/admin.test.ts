import { execFile } from "node:child_process";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { describeChat, describeRun, describeUser } from "../../scripts/admin/describe.ts";
import { describeService } from "../../scripts/admin/describe-service.ts";
import { verifyReadToken } from "../../src/access/read-token.ts";
import type { ChatLook, RunLook } from "../../src/admin/schemas.ts";
import { root } from "./dev-server.ts";

const TOKEN = "an-operator-token-of-the-tests-0123456789";
const SECRET = "a secret of read tokens of this test alone";

interface Printed {
	code: number | null;
	stdout: string;
	stderr: string;
}

/** `npm run admin`, with nothing of this machine's in its environment. */
function admin(args: readonly string[], env: Record<string, string> = { OPERATOR_TOKEN: TOKEN }): Promise<Printed> {
	return new Promise((resolve) => {
		const child = execFile(
			process.execPath,
			["scripts/admin.ts", ...args],
			{ cwd: root, env: { PATH: process.env["PATH"], ...env } },
			(_, stdout, stderr) => resolve({ code: child.exitCode, stdout, stderr }),
		);
	});
}

let server: Server | undefined;
afterEach(() => {
	server?.close();
	server = undefined;
});

/** A service that answers so. @returns its address, as an option */
async function answering(listener: RequestListener): Promise<string[]> {
	server = createServer(listener);
	await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
	return ["--url", `http://127.0.0.1:${(server.address() as AddressInfo).port}`];
}

const json =
	(status: number, body: object): RequestListener =>
	(_, response) =>
		response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));

const NOW = Date.parse("2024-02-04T15:00:00.000Z");
const NONE = { pending: 0, running: 0, completed: 0, failed: 0, cancelled: 0 };
const RUN: RunLook["data"]["workflowRun"] = {
	id: "0a4c1de2-93c7-4c2b-8f0e-1d2c3b4a5e04",
	chatId: "7d9f3c52-5b0e-4c5e-9a55-0f4a4a1f6c01",
	userId: "demo-user",
	chatDeletedAt: null,
	workflowId: "c2d29867-3d0b-4497-9191-18a9d8ee7830",
	externalId: "wrun_1",
	status: "running",
	isWaiting: false,
	createdAt: "2024-02-04T12:00:00.000Z",
	startedAt: "2024-02-04T12:00:00.000Z",
	completedAt: null,
	lastNewsAt: "2024-02-04T12:57:00.000Z",
	heardAt: "2024-02-04T12:58:00.000Z",
	change: 7,
	bytes: 1_234,
	steps: {
		byStatus: { ...NONE, completed: 2, running: 1 },
		open: [{ id: "write", status: "running", startedAt: "2024-02-04T12:57:00.000Z", attempt: 2, isWaiting: false }],
	},
};
const shown = (more: Partial<typeof RUN>) => describeRun({ workflowRun: { ...RUN, ...more } }, NOW).join("\n");

const CHAT: ChatLook["data"] = {
	chat: {
		id: RUN.chatId,
		userId: "demo-user",
		createdAt: "2024-02-04T12:00:00.000Z",
		deletedAt: null,
		revision: "1",
		change: 7,
		floor: 1,
		historyBytes: 12_345,
	},
	runs: {
		byStatus: { ...NONE, completed: 10_000 },
		isCapped: true,
		oldestStart: "2024-02-04T12:00:00.000Z",
		newestStart: "2024-02-04T13:00:00.000Z",
		latest: [
			{
				id: RUN.id,
				status: "completed",
				startedAt: null,
				completedAt: null,
				createdAt: RUN.createdAt,
				heardAt: "2024-02-04T14:00:00.000Z",
				change: 7,
			},
		],
	},
	hub: { state: "ok", watchers: 1 },
	cachedCopy: null,
};

describe("npm run admin shows", () => {
	it("a run that is silent, in columns, and what that means", () => {
		expect(shown({}).split("\n")).toEqual([
			"Run 0a4c1de2-93c7-4c2b-8f0e-1d2c3b4a5e04",
			"  status        running",
			"  workflow      c2d29867-3d0b-4497-9191-18a9d8ee7830",
			"  engine's id   wrun_1",
			"  chat          7d9f3c52-5b0e-4c5e-9a55-0f4a4a1f6c01",
			"  owner         demo-user",
			"  first report  2024-02-04T12:00:00.000Z (3 hours ago)",
			"  started       2024-02-04T12:00:00.000Z (3 hours ago)",
			"  ended         not yet",
			"  last news     2024-02-04T12:57:00.000Z (2 hours ago)",
			"  last report   2024-02-04T12:58:00.000Z (2 hours ago)",
			"  steps         3: 1 running, 2 completed",
			"  size          1,234 bytes",
			"  change        7 of its chat",
			"",
			"Steps that have not ended:",
			"  write  running  since 2024-02-04T12:57:00.000Z (2 hours ago)",
			"",
			"- No news for 2 h 3 m: the engine has stopped, or its reports do not arrive. Ask the engine about wrun_1.",
		]);
	});

	it.each<[string, Partial<typeof RUN>, RegExp, RegExp]>([
		["that waits for somebody", { isWaiting: true }, /^- It waits for somebody/m, /No news/],
		[
			"that is reported, with no news",
			{ heardAt: "2024-02-04T14:55:00.000Z" },
			/^- No news for 2 h 3 m: its engine still reports it, so what it does takes long/m,
			/has stopped/,
		],
		["with news", { lastNewsAt: "2024-02-04T14:59:00.000Z" }, /last news .*1 minute ago/, /No news/],
		[
			"that never told a moment",
			{ lastNewsAt: null, startedAt: null, status: "pending" },
			/^- No news for 3 h:/m,
			/^$/,
		],
		["that has ended", { status: "failed", error: { message: "why" } }, /^ {2}error {9}why$/m, /No news/],
		[
			"that was given up",
			{ status: "failed", assumed: true },
			/failed, assumed[\s\S]*^- Nobody reported its end/m,
			/No news/,
		],
		["of a deleted chat", { chatDeletedAt: "2024-02-04T14:00:00.000Z" }, /^- Its chat is deleted/m, /^$/],
	])("a run %s", (_, more, has, hasNot) => {
		expect(shown(more)).toMatch(has);
		expect(shown(more)).not.toMatch(hasNot);
	});

	it("nothing that a terminal would act on", () => {
		const message = "\u001b[2J\u009b31mred\nnew line\u202egnp";
		expect(shown({ error: { message }, externalId: "\u0007", workflowName: "\u001b]0;x" })).not.toMatch(
			/(?!\n)\p{Cc}|\u202e|^new line/mu,
		);
		const user = { id: "\u202euser", chats: { live: 0, deleted: 1, isCapped: false, latest: [] } };
		const looked = { user: { ...user, runs: { byStatus: NONE, isCapped: false, latest: [] } } };
		expect(describeUser(looked, NOW).join("\n")).toMatch(
			/^User \\u202euser\n[\s\S]*1 deleted[\s\S]*All chats .* deleted/,
		);
	});

	it("a chat: counts that were cut off, its hub, and its copy", () => {
		const text = describeChat(CHAT, NOW).join("\n");
		expect(text).toMatch(/^ {2}runs +at least 10,000 runs: 10,000 completed$/m);
		expect(text).toMatch(/^ {2}hub +ok, 1 stream open$/m);
		expect(text).toMatch(/^Changed last:\n.* change 7 {2}reported 1 hour ago$/m);
		expect(text).not.toMatch(/^-/m);
		const copy = { revision: "0", change: 6, bytes: 9, readAt: RUN.createdAt, isCurrent: false };
		const worse: ChatLook["data"] = {
			chat: { ...CHAT.chat, deletedAt: "2024-02-04T14:00:00.000Z" },
			runs: CHAT.runs,
			hub: { state: "failing", watchers: null },
			cachedCopy: { ...copy, confirmedAt: "2024-02-04T14:59:50.000Z" },
		};
		expect(describeChat(worse, NOW).join("\n")).toMatch(
			/of change 6, 9 bytes, confirmed 10 s ago[\s\S]*- It is deleted[\s\S]*- Its hub does not answer[\s\S]*- The copy is older/,
		);
	});

	it("a chat that was erased", () => {
		const erased = { ...CHAT, chat: { ...CHAT.chat, userId: null, deletedAt: "2024-02-04T14:00:00.000Z" } };
		const text = describeChat(erased, NOW).join("\n");
		// Its row has no other moment than that of its erasure.
		expect(text).not.toMatch(/^ {2}registered/m);
		expect(text).toMatch(/^ {2}owner +nobody$[\s\S]*^ {2}erased +2024-02-04T14:00:00.000Z[\s\S]*^- It was erased/m);
		expect(text).not.toMatch(/restore/);
	});

	it("the service while D1 is down", () => {
		const check = {
			configuration: "ok",
			d1: "failing",
			migrations: "failing",
			kv: "ok",
			cache: "ok",
			hub: "ok",
		} as const;
		const health = {
			status: "failing",
			version: "1",
			deployment: null,
			checkedAt: RUN.createdAt,
			checks: check,
		} as const;
		const settings = { vars: { RETENTION_DAYS: null }, secrets: { RECORDER_TOKENS: 2 }, bindings: { HUB: false } };
		const text = describeService({ health, database: null, settings }, NOW).join("\n");
		expect(text).toMatch(/^edge-runs 1: failing\n/);
		expect(text).toMatch(/RETENTION_DAYS {2}not set[\s\S]*RECORDER_TOKENS {2}2 set[\s\S]*- Not bound: HUB\./);
	});
});

describe.concurrent("npm run admin -- token", () => {
	it.each(["service", "operator"])(
		"prints a new %s token and nothing else, and says beside it how to add it",
		async (kind) => {
			const [a, b] = await Promise.all([admin(["token", kind]), admin(["token", kind, "--json"])]);
			expect([a?.code, b?.code]).toEqual([0, 0]);
			expect(a?.stdout).toMatch(/^[0-9a-f]{64}\n$/);
			expect(JSON.parse(b?.stdout ?? "").token).not.toBe(a?.stdout.trim());
			expect(a?.stderr).toContain(`wrangler secret put ${kind === "service" ? "RECORDER" : "OPERATOR"}_TOKENS`);
		},
	);

	it("makes a read token that the service takes, by the first secret of the environment", async () => {
		const env = { READ_TOKEN_SECRET: `${SECRET},${SECRET} of yesterday` };
		const chat = "7D9F3C52-5b0e-4c5e-9a55-0f4a4a1f6c05";
		const { code, stdout } = await admin(["token", "read", "--user", "me", "--chat", chat, "--minutes", "30"], env);
		expect(code).toBe(0);
		const now = Date.now();
		const token = await verifyReadToken(stdout.trim(), [SECRET], now);
		expect(token).toMatchObject({ userId: "me", chatId: chat.toLowerCase() });
		expect(Math.abs((token?.expiresAt ?? 0) - now - 1_800_000)).toBeLessThan(60_000);
	});

	it.each<[string, string[], RegExp, Record<string, string>?]>([
		["no kind", ["token"], /^Which token\?/],
		["another kind", ["token", "admin"], /^Which token\?/],
		["a read token of nobody", ["token", "read"], /^Whose\? --user ID/],
		["a read token for longer than a day", ["token", "read", "--user", "me", "--minutes", "1441"], /from 1 to 1440/],
		["a secret that is too short", ["token", "read", "--user", "me"], /fewer than 32/, { READ_TOKEN_SECRET: "short" }],
	])("explains itself: %s", async (_, args, message, env = { READ_TOKEN_SECRET: SECRET }) => {
		const { code, stdout, stderr } = await admin(args, env);
		expect([code, stdout, stderr.includes("    at ")]).toEqual([2, "", false]);
		expect(stderr).toMatch(message);
	});
});

describe("npm run admin, with a service that", () => {
	it("has it, shows it or gives it on as it came, and sends the token in a header alone", async () => {
		const asked: string[] = [];
		const url = await answering((request, response) => {
			asked.push(`${request.method} ${request.url} ${request.headers.authorization}`);
			json(200, { data: { workflowRun: RUN } })(request, response);
		});
		const [people, programs] = await Promise.all([
			admin(["run", RUN.id, ...url]),
			admin(["run", RUN.id, "--json", ...url]),
		]);
		expect([people?.code, programs?.code]).toEqual([0, 0]);
		expect(people?.stdout).toMatch(/^Run 0a4c1de2.*\n {2}status +running\n/);
		expect(JSON.parse(programs?.stdout ?? "")).toEqual({ workflowRun: RUN });
		expect(new Set(asked)).toEqual(new Set([`GET /api/admin/workflow-runs/${RUN.id} Bearer ${TOKEN}`]));
	});

	it.each<[string, number, object, number, RegExp]>([
		[
			"does not have it",
			404,
			{ code: "RUN_NOT_FOUND", message: "No run of this id is recorded" },
			1,
			/^No run of this id is recorded\. It was never reported, or refused, or deleted by now\.\n$/,
		],
		[
			"takes no such id",
			400,
			{ code: "INVALID_RUN_ID", message: "Invalid workflow run ID format" },
			2,
			/^Invalid workflow run ID format\. Ids are UUIDs here: docs\/recording\.md says which one an engine's id has\.\n$/,
		],
		[
			"refuses the token",
			401,
			{ code: "INVALID_TOKEN" },
			2,
			/does not take the operator token: it is none of its OPERATOR_TOKENS\.\n$/,
		],
		["is older", 404, { code: "ROUTE_NOT_FOUND" }, 2, /has no such route: it is an older version/],
		[
			"breaks",
			500,
			{ code: "INTERNAL_ERROR", requestId: "abc-1" },
			2,
			/answers 500 INTERNAL_ERROR \(request abc-1 in its log\)/,
		],
		["is down", 503, { code: "STORE_UNAVAILABLE" }, 2, /does not work: it answers 503, 3 times in a row/],
	])("%s", async (_, status, body, code, message) => {
		const told = await admin(["run", RUN.id, ...(await answering(json(status, body)))]);
		expect([told.code, told.stdout]).toEqual([code, ""]);
		expect(told.stderr).toMatch(message);
		expect(told.stderr).not.toContain(TOKEN);
	});

	it("is not there", async () => {
		const [, url = ""] = await answering(() => {});
		server?.close();
		const { code, stderr } = await admin(["health", "--url", url]);
		expect([code, stderr]).toEqual([2, expect.stringMatching(/does not work: the request failed \(.*ECONNREFUSED/)]);
	});

	it("is failing, says so by its exit status", async () => {
		const checks = { d1: "failing" };
		const health = { status: "failing", version: "1", deployment: null, checkedAt: RUN.createdAt, checks };
		const settings = { vars: { A: 1 }, secrets: { B: 0 }, bindings: {} };
		const url = await answering(json(200, { data: { health, database: null, settings } }));
		expect(await admin(["health", ...url])).toMatchObject({
			code: 1,
			stdout: expect.stringMatching(/^edge-runs 1: failing/),
		});
	});
});

describe.concurrent("npm run admin explains itself:", () => {
	it.each<[string, string[], RegExp]>([
		["nothing to look at", [], /^At what\?/],
		["something else", ["constructor"], /^At what\?/],
		["no id", ["run"], /^Which run\? npm run admin -- run ID/],
		["two ids", ["run", RUN.id, RUN.id], /^Which run\?/],
		["an empty id", ["user", ""], /^Which user\?/],
		["an id that no path can name", ["user", ".."], /^Which user\?/],
		["an id of the service", ["health", "x"], /^health takes no id/],
		["no address", ["health", "--url", "runs.example.com"], /--url takes an address/],
		["a token in clear", ["health", "--url", "http://runs.example.com"], /in clear/],
		["a token among the options", ["health", "--token", TOKEN], /^Unknown option '--token'/],
	])("%s", async (_, args, message) => {
		const { code, stdout, stderr } = await admin(args);
		expect([code, stdout, stderr.includes("    at ")]).toEqual([2, "", false]);
		expect(stderr).toMatch(message);
	});

	it.each([
		["two lines", `${TOKEN}\n${TOKEN}`],
		["a list", `${TOKEN},${TOKEN}`],
	])("a token that is %s, without a word of it", async (_, token) => {
		const { code, stderr } = await admin(["health"], { OPERATOR_TOKEN: token });
		expect([code, stderr]).toEqual([2, expect.stringMatching(/^OPERATOR_TOKEN is not a token\./)]);
		expect(stderr).not.toContain(TOKEN);
	});

	it("no token for a service elsewhere, whatever .dev.vars has", async () => {
		const { code, stderr } = await admin(["health", "--url", "https://runs.example.com"], {});
		expect([code, stderr]).toEqual([
			2,
			expect.stringMatching(/^No operator token: set OPERATOR_TOKEN in the environment/),
		]);
	});
});
