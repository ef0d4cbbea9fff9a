import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { readLines } from "../../../scripts/import/lines.ts";
import { emptyTally, importLines } from "../../../scripts/import/run.ts";
import type { Send } from "../../../scripts/send.ts";
import { scopeOf } from "../../../src/scope.ts";
import { purgeChats } from "../../../src/workflow-runs/purge.ts";
import type { WorkflowRun } from "../../../src/workflow-runs/schemas.ts";
import { eventually, insertChat, insertRuns, request, requestWith, runsPath, signIn, uuid } from "../helpers.ts";
import { patchRuns, putRun, recording, registeredChat, report } from "../recording/recorder.ts";
import { watchBindings } from "../watch-bindings.ts";
import { eraseUser, operating, rows, storedOf, userPath } from "./operator.ts";

afterEach(() => {
	vi.restoreAllMocks();
});

interface Line extends Partial<WorkflowRun> {
	userId?: string;
	deletedAt?: string;
	nextCursor?: string | null;
}

const exportPath = (user: string, cursor?: string) =>
	`${userPath(user)}/export${cursor === undefined ? "" : `?cursor=${cursor}`}`;

const textOf = async (response: Response) => new TextDecoder().decode(await response.arrayBuffer());

/** All lines of an export, with its last line break. */
async function exportText(user: string, cursor?: string): Promise<string> {
	const response = await request(exportPath(user, cursor), operating("GET"));
	expect(response.status).toBe(200);
	return textOf(response);
}

const parse = (text: string): Line[] =>
	text
		.split("\n")
		.slice(0, -1)
		.map((line) => JSON.parse(line));

const idsOf = (lines: readonly Line[]) => lines.flatMap(({ id }) => id ?? []).sort();

/** A chat's list, as its owner sees it. */
async function listOf(chat: string, user: string): Promise<[number, unknown]> {
	const { cookie } = await signIn(user);
	const response = await requestWith({}, runsPath(chat), { headers: { cookie } });
	return [response.status, await response.json<{ data?: unknown }>().then(({ data }) => data)];
}

describe("an export", () => {
	it("has each run as its owner's list has it, deleted chats and chats without runs, and says that it was all", async () => {
		const user = 'a "user" \u{1f680}';
		await eraseUser(user);
		const { cookie } = await signIn(user);
		const chats = [];
		for (let i = 0; i < 3; i++) chats.push((await registeredChat({ user, cookie })).chat);
		const [two, deleted, empty] = chats as [string, string, string];
		const full = { output: { a: [1, null] }, metrics: { tokens: 3 }, workflowName: "Räume", attempt: 2 };
		await putRun(
			two,
			uuid(),
			report({ ...full, steps: [{ id: "s", status: "completed", completedAt: report()["completedAt"] }] }),
		);
		await putRun(two, uuid(), report({ status: "pending", startedAt: null, completedAt: null }));
		await putRun(deleted, uuid(), report({ status: "failed", error: { message: "no" } }));
		const [, list] = await listOf(two, user);
		const [, ofDeleted] = await listOf(deleted, user);
		await request(`/api/chats/${deleted}`, recording("DELETE"));
		const [{ deleted_at }] = (await rows("select deleted_at from chats where id = ?", deleted)) as [
			{ deleted_at: string },
		];

		const response = await request(exportPath(user), operating("GET"));
		expect(
			Object.fromEntries(
				["content-type", "content-disposition", "cache-control"].map((name) => [name, response.headers.get(name)]),
			),
		).toEqual({
			"content-type": "application/x-ndjson",
			"content-disposition": 'attachment; filename="export.ndjson"',
			"cache-control": "no-store",
		});
		const runsOf = (data: unknown) =>
			(data as { workflowRuns: object[] }).workflowRuns.map((run) => ({ userId: user, ...run }));
		const expected: Record<string, object[]> = {
			[two]: runsOf(list),
			[deleted]: [...runsOf(ofDeleted), { userId: user, chatId: deleted, deletedAt: deleted_at }],
			[empty]: [{ userId: user, chatId: empty }],
		};
		expect(parse(await textOf(response))).toEqual([
			...chats.sort().flatMap((chat) => expected[chat]),
			{ nextCursor: null },
		]);
	});

	it("of a user who has nothing says so", async () => {
		expect(await exportText(uuid())).toBe('{"nextCursor":null}\n');
		const [user, chat] = [uuid(), await insertChat(uuid())];
		await insertRuns(chat, [{}]);
		expect(await exportText(user)).toBe('{"nextCursor":null}\n');
	});

	it("has nothing of what was erased, or of tombstones", async () => {
		const { chat, user } = await registeredChat();
		await putRun(chat, uuid(), report());
		await eraseUser(user);
		expect(await exportText(user)).toBe('{"nextCursor":null}\n');
	});

	it("answers HEAD without a body", async () => {
		const response = await request(exportPath(uuid()), operating("HEAD"));
		expect([response.status, await textOf(response)]).toEqual([200, ""]);
	});

	it.each(["x", "", "!", btoa("a b c"), btoa(`${uuid()} 2024 ${uuid()}`), `${btoa(`${uuid()}  `)}x`])(
		"refuses a cursor that it did not give out: %s",
		async (cursor) => {
			const response = await request(exportPath(uuid(), encodeURIComponent(cursor)), operating("GET"));
			expect(response.status).toBe(400);
			expect(await response.json()).toMatchObject({
				code: "INVALID_PARAMETER",
				message: "cursor: is not a cursor that this service gave out",
			});
		},
	);

	it("is a 503 where D1 fails before the first line", async () => {
		vi.spyOn(console, "error").mockImplementation(() => {});
		const { DB, SESSIONS } = watchBindings({ onD1: () => Promise.reject(new Error("D1 DB is overloaded")) });
		const response = await requestWith({ DB, SESSIONS }, exportPath(uuid()), operating("GET"));
		expect([response.status, (await response.json<{ code: string }>()).code]).toEqual([503, "STORE_UNAVAILABLE"]);
	});
});

describe("the export of a user with many runs", () => {
	/** Pages end within a chat, at its end, and among chats without runs. */
	let user: string;
	let all: string[];
	let chats: string[];
	beforeEach(async () => {
		user = uuid();
		chats = [
			await insertChat(user),
			await insertChat(user, { deletedAt: "2024-02-05T00:00:00.000Z" }),
			await insertChat(user),
		];
		const start = (i: number) => (i % 3 ? new Date(1_700_000_000_000 + i * 1_000).toISOString() : null);
		const many = (count: number) =>
			Array.from({ length: count }, (_, i) => ({ status: "pending", startedAt: start(i), completedAt: null }));
		all = [
			...(await insertRuns(chats[0] as string, many(1_300))),
			...(await insertRuns(chats[1] as string, many(1_000))),
			...(await insertRuns(chats[2] as string, many(1))),
		].sort();
		for (let i = 0; i < 5; i++) chats.push(await insertChat(user));
	});

	it("comes in pages, each run once, and each cursor goes on behind its page", async () => {
		const text = await exportText(user);
		const lines = parse(text);
		expect(idsOf(lines)).toEqual(all);
		const cursors = lines.flatMap(({ nextCursor }) => (nextCursor === undefined ? [] : [nextCursor]));
		expect(cursors).toHaveLength(3);
		expect(cursors.at(-1)).toBeNull();
		expect(lines.filter(({ deletedAt }) => deletedAt)).toEqual([
			{ userId: user, chatId: chats[1], deletedAt: "2024-02-05T00:00:00.000Z" },
		]);
		for (const cursor of cursors.slice(0, -1) as string[]) {
			const line = `{"nextCursor":"${cursor}"}\n`;
			expect(await exportText(user, cursor)).toBe(text.slice(text.indexOf(line) + line.length));
			// Of another user it opens nothing.
			expect(await exportText(uuid(), cursor)).toBe('{"nextCursor":null}\n');
		}
	});

	it("that breaks off as D1 fails can be told from a whole one, and goes on from its last cursor", async () => {
		vi.spyOn(console, "error").mockImplementation(() => {});
		let roundTrips = 0;
		const { DB, SESSIONS } = watchBindings({
			onD1: () => {
				if (++roundTrips > 3) throw new Error("D1 DB is overloaded");
			},
		});
		const response = await requestWith({ DB, SESSIONS }, exportPath(user), operating("GET"));
		const [text, error] = await readUntilCut(response);
		expect([response.status, error]).toEqual([200, "broken off"]);
		const [last] = parse(text).slice(-1) as [Line];
		expect(last.nextCursor).toEqual(expect.any(String));
		const rest = await exportText(user, last.nextCursor as string);
		expect(text + rest).toBe(await exportText(user));
	});

	it("ends with a cursor where the invocation may ask D1 no more", async () => {
		vi.spyOn(console, "log").mockImplementation(() => {});
		let roundTrips = 0;
		const { DB, SESSIONS } = watchBindings({
			onD1: () => {
				if (++roundTrips > 2) throw new Error("D1_ERROR: Too many subrequests by single Worker invocation.");
			},
		});
		const response = await requestWith({ DB, SESSIONS }, exportPath(user), operating("GET"));
		const [text, error] = await readUntilCut(response);
		expect(error).toBeUndefined();
		const lines = parse(text);
		expect(idsOf(lines).length).toBeGreaterThan(900);
		expect(idsOf(lines).length).toBeLessThan(all.length);
		expect(lines.at(-1)).toEqual({ nextCursor: expect.any(String) });
	});

	it("reads a page when the one before was taken, and no more when the client has gone", async () => {
		const { DB, SESSIONS, calls } = watchBindings();
		const response = await requestWith({ DB, SESSIONS }, exportPath(user), operating("GET"));
		const reader = (response.body as ReadableStream<Uint8Array>).getReader();
		await reader.read();
		await new Promise((resolve) => setTimeout(resolve, 50));
		const roundTrips = calls.d1.length;
		expect(roundTrips).toBeLessThanOrEqual(4);
		const log = vi.spyOn(console, "log").mockImplementation(() => {});
		await reader.cancel();
		await eventually(() => expect(log.mock.calls.join()).toContain('"event":"export"'));
		expect(calls.d1).toHaveLength(roundTrips);
	});

	it("misses no run whose start becomes known meanwhile", async () => {
		const { DB, SESSIONS } = watchBindings();
		const response = await requestWith({ DB, SESSIONS }, exportPath(user), operating("GET"));
		// What had not started moves on in the order; the first page has been read by now.
		await env.DB.prepare(
			"update workflow_runs set status = 'running', started_at = '2023-01-01T00:00:00.000Z' where started_at is null and chat_id in (select id from chats where user_id = ?)",
		)
			.bind(user)
			.run();
		const lines = parse(await textOf(response));
		expect([...new Set(idsOf(lines))]).toEqual(all);
	});

	it("costs what the user has: no more rows than twice what there is", async () => {
		await insertRuns(await insertChat(uuid()), Array(1_000).fill({}));
		const { DB, SESSIONS, calls } = watchBindings();
		await textOf(await requestWith({ DB, SESSIONS }, exportPath(user), operating("GET")));
		let read = 0;
		for (const { sql, params } of calls.d1.flat()) {
			read += (
				await env.DB.prepare(sql)
					.bind(...params)
					.all()
			).meta.rows_read;
		}
		// Each run is found and then read, by its id and as a row; what the pages overlap in is a row each.
		expect(read).toBeLessThan(5 * all.length);
		const [keys] = calls.d1.flat();
		const plan = await rows<{ detail: string }>(`explain query plan ${keys?.sql}`, ...(keys?.params ?? []));
		expect(plan.map(({ detail }) => detail).join("\n")).not.toMatch(/SCAN (chats|workflow_runs)|TEMP B-TREE/);
	});
});

it("goes on among chats without runs, and counts their rows", async () => {
	const user = uuid();
	const insert = env.DB.prepare("insert into chats (id, user_id, revision, created_at) values (?, ?, 'r', ?)");
	const chats = Array.from({ length: 2_001 }, uuid).sort();
	for (let i = 0; i < chats.length; i += 500) {
		await env.DB.batch(chats.slice(i, i + 500).map((id) => insert.bind(id, user, "2024-02-05T00:00:00.000Z")));
	}
	const text = await exportText(user);
	const lines = parse(text);
	expect(lines.flatMap(({ chatId }) => chatId ?? [])).toEqual(chats);
	const [first] = lines.flatMap(({ nextCursor }) => nextCursor ?? []) as [string];
	expect(parse(await exportText(user, first))).toEqual(lines.slice(1_001));
});

it("a page holds what an answer may, however large its runs are", async () => {
	const user = uuid();
	const chat = await insertChat(user);
	const steps = JSON.stringify([{ id: "s", name: "x".repeat(900_000), status: "pending" }]);
	const ids = await insertRuns(chat, Array(9).fill({ steps }));
	const { DB, SESSIONS, calls } = watchBindings();
	const text = await textOf(await requestWith({ DB, SESSIONS }, exportPath(user), operating("GET")));
	expect(idsOf(parse(text))).toEqual(ids.sort());
	expect(calls.d1).toHaveLength(2 * 3);
});

describe("what was exported", () => {
	/** Imports text as `npm run import` does. */
	async function importText(text: string) {
		const tally = emptyTally();
		const send: Send = async (method, path, body) => {
			const response = await request(path, recording(method, body));
			const answer =
				response.status === 204 ? {} : await response.json<{ data?: unknown; code?: string; message?: string }>();
			const { data, code = "", message = "" } = answer as { data?: unknown; code?: string; message?: string };
			return { ok: response.ok, status: response.status, code, message, data };
		};
		const lines = readLines(new Response(text).body as unknown as AsyncIterable<Uint8Array>, 1_000_000);
		const { signal } = new AbortController();
		await importLines(lines, send, tally, { concurrency: 3, fromLine: 1, restore: false, signal });
		return tally;
	}

	async function history(user: string) {
		const chats = await rows<{ id: string; deleted: number }>(
			"select id, deleted_at is not null as deleted from chats where user_id = ? order by id",
			user,
		);
		return Promise.all(chats.map(async ({ id, deleted }) => ({ id, deleted, list: await listOf(id, user) })));
	}

	it("comes back by an import, once the erased chats are purged: the same lists, and what was deleted stays so", async () => {
		const owned = await registeredChat();
		const { user, cookie } = owned;
		const [deleted, empty, gone] = [
			await registeredChat({ user, cookie }),
			await registeredChat({ user, cookie }),
			await registeredChat({ user, cookie }),
		];
		for (const { chat } of [owned, deleted]) {
			const runs = Array.from({ length: 100 }, (_, i) => {
				const activity = { at: "2024-02-04T12:00:00.000Z", message: "…" };
				const steps = [{ id: `step-${i}`, status: "running", activity }];
				return { id: uuid(), ...report({ status: "running", completedAt: null, steps }) };
			});
			await patchRuns(chat, runs);
			await putRun(chat, uuid(), report({ assumed: true, status: "failed", output: { a: 1 }, parentRunId: uuid() }));
		}
		for (const { chat } of [deleted, gone]) await request(`/api/chats/${chat}`, recording("DELETE"));
		const text = await exportText(user);
		const before = await history(user);
		expect(before.map(({ deleted: is }) => is).sort()).toEqual([0, 0, 1, 1]);

		await eraseUser(user);
		const refused = await importText(text);
		expect([refused.created, refused.refused]).toEqual([0, 101 * 2 + 1]);
		expect(await storedOf(user)).toEqual({ chats: 0, runs: 0, entries: 0 });

		const scope = scopeOf(env, { waitUntil: () => {} });
		const purge = () => purgeChats(scope, Date.now() + 31 * 86_400_000);
		for (let left = await purge(); left.chats + left.workflowRuns > 0; ) left = await purge();
		const tally = await importText(text);
		expect(tally).toMatchObject({ created: 202, merged: 0, refused: 0, leftOuts: 0, chats: 3 });
		expect(await history(user)).toEqual(before);
		expect(before.find(({ id }) => id === empty.chat)).toMatchObject({ deleted: 0 });
		const strip = (exported: string) => exported.replaceAll(/"deletedAt":"[^"]+"/g, '"deletedAt":"…"');
		expect(strip(await exportText(user))).toBe(strip(text));
	});
});

/** What came of a body until it ended or broke off. */
async function readUntilCut(response: Response): Promise<[string, string | undefined]> {
	const reader = (response.body as ReadableStream<Uint8Array>).getReader();
	const decoder = new TextDecoder();
	let text = "";
	try {
		for (let read = await reader.read(); !read.done; read = await reader.read())
			text += decoder.decode(read.value, { stream: true });
		return [text, undefined];
	} catch {
		return [text, "broken off"];
	}
}
