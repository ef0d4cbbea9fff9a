import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { createReadToken } from "#recorder/index.ts";
import { STATUSES, type WorkflowRun, type WorkflowRunList } from "../../../src/workflow-runs/schemas.ts";
import { badTokens, SECRETS } from "../access/read-tokens.ts";
import {
	insertChat,
	insertRuns,
	request,
	requestWith,
	type StoredRun,
	signedCookie,
	signIn,
	uuid,
} from "../helpers.ts";
import { putRun, recording, registeredChat, report } from "../recording/recorder.ts";
import { watchBindings } from "../watch-bindings.ts";

const RUNS = "/api/workflow-runs";
const ACTIVE = "/api/workflow-runs/active";
const END = "2024-03-01T00:00:00.000Z";

const at = (minute: number) => new Date(Date.UTC(2024, 1, 1, 0, minute)).toISOString();
const completedAt = (status: string) => (status === "pending" || status === "running" ? null : END);

async function read(cookie: string, query = ""): Promise<WorkflowRunList["data"]> {
	const response = await request(RUNS + query, { headers: { cookie } });
	expect(response.status).toBe(200);
	return ((await response.json()) as WorkflowRunList).data;
}

async function active(cookie: string): Promise<unknown> {
	return ((await (await request(ACTIVE, { headers: { cookie } })).json()) as { data: unknown }).data;
}

const idsOf = (runs: readonly { id: string }[]) => runs.map(({ id }) => id);

/** A user with runs in several chats: every status, ties, some that have not started. */
async function someone(chats = 3) {
	const user = uuid();
	const { cookie } = await signIn(user);
	for (let chat = 0; chat < chats; chat++) {
		const runs = STATUSES.flatMap((status, i): StoredRun[] => [
			{ status, startedAt: at(10 * i + chat), completedAt: completedAt(status) },
			{
				status,
				startedAt: at(100),
				completedAt: completedAt(status),
				steps: '[{"id":"a","status":"pending","startedAt":null,"completedAt":null}]',
			},
			{ status, startedAt: null, completedAt: completedAt(status) },
		]);
		await insertRuns(await insertChat(user), runs);
	}
	return { user, cookie };
}

describe("a user's runs over all chats", () => {
	it("come in the list's order, page by page, each once, whatever is asked for", async () => {
		const { cookie } = await someone();
		const all = (await read(cookie, "?limit=100")).workflowRuns;
		expect(all).toHaveLength(45);
		const key = ({ startedAt, id }: WorkflowRun) => `${startedAt ?? "~"} ${id}`;
		expect(all.map(key)).toEqual(all.map(key).sort().reverse());
		const started = (run: WorkflowRun) => run.startedAt ?? "";
		const cases: [string, (run: WorkflowRun) => boolean][] = [
			["", () => true],
			["&status=running", (run) => run.status === "running"],
			["&status=failed,pending", (run) => run.status === "failed" || run.status === "pending"],
			[`&startedAfter=${at(20)}`, (run) => started(run) >= at(20)],
			[`&startedBefore=${at(100)}`, (run) => started(run) !== "" && started(run) < at(100)],
			[
				`&startedAfter=${at(11)}&startedBefore=${at(31)}&status=running,completed`,
				(run) => started(run) >= at(11) && started(run) < at(31) && ["running", "completed"].includes(run.status),
			],
		];
		for (const [query, fits] of cases) {
			const pages: WorkflowRun[] = [];
			let cursor: string | null | undefined;
			do {
				const page = await read(cookie, `?limit=4${query}${cursor ? `&cursor=${cursor}` : ""}`);
				expect(page.workflowRuns.length).toBeLessThanOrEqual(4);
				pages.push(...page.workflowRuns);
				cursor = page.nextCursor;
			} while (cursor);
			expect([query, idsOf(pages)]).toEqual([query, idsOf(all.filter(fits))]);
		}
		const light = (await read(cookie, "?limit=100&steps=none")).workflowRuns;
		expect(light).toEqual(all.map((run) => ({ ...run, steps: [] })));
	});

	it("have a limit, also where none is asked for, and nobody else's among them", async () => {
		const { user, cookie } = await someone(4);
		const other = await someone(1);
		const page = await read(cookie);
		expect([page.workflowRuns.length, typeof page.nextCursor]).toEqual([50, "string"]);
		const mine = await env.DB.prepare("select id from chats where user_id = ?").bind(user).all<{ id: string }>();
		const chats = new Set(idsOf(mine.results));
		expect(page.workflowRuns.filter((run) => !chats.has(run.chatId))).toEqual([]);
		expect((await read(other.cookie)).workflowRuns).toHaveLength(15);
		expect(await read((await signIn(uuid())).cookie)).toEqual({ workflowRuns: [], nextCursor: null });
	});

	it("cost what the page holds, however many runs and chats there are", async () => {
		const user = uuid();
		const { cookie } = await signIn(user);
		for (let chat = 0; chat < 40; chat++) {
			const runs = Array.from({ length: 50 }, (_, i) => {
				const status = STATUSES[i % 5] as string;
				return { status, startedAt: at(chat + 40 * i), completedAt: completedAt(status) };
			});
			await insertRuns(await insertChat(user, { deletedAt: chat % 2 ? END : null }), runs);
		}
		const rows = async (path: string) => {
			const { calls, ...bindings } = watchBindings();
			const response = await requestWith(bindings, path, { headers: { cookie } });
			expect(response.status).toBe(200);
			const data = ((await response.json()) as WorkflowRunList).data;
			const results = await env.DB.batch(calls.d1.flat().map(({ sql, params }) => env.DB.prepare(sql).bind(...params)));
			return { data, read: results.reduce((sum, { meta }) => sum + meta.rows_read, 0) };
		};
		const first = await rows(`${RUNS}?limit=10`);
		const { nextCursor } = (await rows(`${RUNS}?limit=100`)).data;
		const deep = `${RUNS}?limit=10&cursor=${nextCursor}`;
		for (const path of [
			deep,
			`${RUNS}?limit=10&startedBefore=${at(900)}`,
			`${deep}&startedBefore=${at(900)}`,
			`${RUNS}?limit=10&startedAfter=${at(100)}&status=failed`,
		]) {
			const { data, read } = await rows(path);
			expect(data.workflowRuns).toHaveLength(10);
			expect([path, read <= 15 * 11]).toEqual([path, true]);
		}
		expect(first.read).toBeLessThanOrEqual(15 * 11);
		const { data, read: counted } = await rows(ACTIVE);
		expect(data).toEqual({ pending: 200, running: 200 });
		expect(counted).toBeLessThanOrEqual(2 * 400 + 2);
	});

	it("are counted up to 1,000 of a status", async () => {
		const user = uuid();
		const { cookie } = await signIn(user);
		await insertRuns(
			await insertChat(user),
			Array.from({ length: 1_001 }, () => ({ status: "running", completedAt: null })),
		);
		expect(await active(cookie)).toEqual({ pending: 0, running: 1_000 });
	});

	it("follow every change: of a run, of a chat, of its owner, by whatever hand", async () => {
		const { user, cookie, chat } = await registeredChat();
		const [run, other] = [uuid(), uuid()];
		const shown = async () => (await read(cookie)).workflowRuns.map(({ id, status }) => [id, status]);
		await putRun(chat, run, report({ status: "pending", startedAt: null, completedAt: null }));
		expect([await shown(), await active(cookie)]).toEqual([[[run, "pending"]], { pending: 1, running: 0 }]);
		await putRun(chat, run, report({ status: "running", startedAt: at(0), completedAt: null }));
		expect([await shown(), await active(cookie)]).toEqual([[[run, "running"]], { pending: 0, running: 1 }]);
		// An earlier start is another place in the order.
		await putRun(chat, other, report({ status: "running", startedAt: at(5), completedAt: null }));
		await putRun(chat, other, report({ status: "failed", startedAt: at(-5), completedAt: at(6) }));
		expect(await shown()).toEqual([
			[run, "running"],
			[other, "failed"],
		]);

		expect((await request(`/api/chats/${chat}`, recording("DELETE"))).status).toBe(204);
		expect([await shown(), await active(cookie)]).toEqual([[], { pending: 0, running: 0 }]);
		await request(`/api/chats/${chat}`, recording("PUT", { userId: user, restore: true }));
		expect(await shown()).toHaveLength(2);

		const heir = uuid();
		await env.DB.prepare("update chats set user_id = ? where id = ?").bind(heir, chat).run();
		expect(await shown()).toEqual([]);
		const theirs = (await signIn(heir)).cookie;
		expect((await read(theirs)).workflowRuns).toHaveLength(2);
		await env.DB.prepare("delete from workflow_runs where id = ?").bind(run).run();
		expect([idsOf((await read(theirs)).workflowRuns), await active(theirs)]).toEqual([
			[other],
			{ pending: 0, running: 0 },
		]);
		const left = await env.DB.prepare("select * from user_runs where user_id in (?, ?)").bind(user, heir).all();
		expect(left.results).toHaveLength(1);
	});

	it("are not shown to a stranger by a wrong entry", async () => {
		const { cookie } = await someone(1);
		const thief = await someone(1);
		const [run] = (await read(cookie)).workflowRuns;
		await env.DB.prepare("insert into user_runs values (?, 'failed', '~', ?)").bind(thief.user, run?.id).run();
		expect(idsOf((await read(thief.cookie, "?limit=100")).workflowRuns)).not.toContain(run?.id);
	});

	it("stay under 4 MB a page", async () => {
		const user = uuid();
		const { cookie } = await signIn(user);
		const steps = JSON.stringify([
			{ id: "a", status: "completed", startedAt: null, completedAt: null, name: "x".repeat(900_000) },
		]);
		const ids = await insertRuns(
			await insertChat(user),
			Array.from({ length: 6 }, (_, i) => ({ steps, startedAt: at(-i) })),
		);
		const first = await read(cookie);
		expect(idsOf(first.workflowRuns)).toEqual(ids.slice(0, 4));
		const second = await read(cookie, `?cursor=${first.nextCursor}`);
		expect([idsOf(second.workflowRuns), second.nextCursor]).toEqual([ids.slice(4), null]);
		expect((await read(cookie, "?steps=none")).workflowRuns).toHaveLength(6);
	});

	it("are known to their ETag", async () => {
		const { cookie } = await someone(1);
		for (const path of [RUNS, ACTIVE]) {
			const etag = (await request(path, { headers: { cookie } })).headers.get("etag") as string;
			expect((await request(path, { headers: { cookie, "if-none-match": etag } })).status).toBe(304);
		}
	});
});

describe.each([RUNS, ACTIVE])("GET %s is denied", (path) => {
	async function ask(headers: Record<string, string>) {
		const { calls, ...bindings } = watchBindings();
		const response = await requestWith(bindings, path, { headers });
		const body = (await response.json()) as { code?: string };
		return { status: response.status, code: body.code, calls };
	}
	const NOTHING = { kv: [], d1: [] };

	it("without a sign-in, with a forged one, or with a service or operator token, before any I/O", async () => {
		const { token } = await signIn(uuid());
		const forged = await signedCookie(token, { secret: "a secret that somebody else has thought out" });
		const tokens = [env.RECORDER_TOKENS, env.OPERATOR_TOKENS].map((list) => `Bearer ${list.split(",")[0]}`);
		const all: Record<string, string>[] = tokens.map((authorization) => ({ authorization }));
		for (const headers of [{}, { cookie: forged }, ...all]) {
			expect(await ask(headers)).toEqual({ status: 401, code: "INVALID_SESSION", calls: NOTHING });
		}
	});

	it("with a revoked session, and D1 is not asked", async () => {
		const { token, cookie } = await signIn(uuid());
		await env.SESSIONS.delete(token);
		expect(await ask({ cookie })).toMatchObject({ status: 401, code: "INVALID_SESSION", calls: { d1: [] } });
	});

	it("with a bad read token, before any I/O", async () => {
		const user = uuid();
		const { cookie } = await signIn(user);
		for (const [what, token] of await badTokens(user, uuid())) {
			const answer = await ask({ cookie, authorization: `Bearer ${token}` });
			expect([what, answer]).toEqual([what, { status: 401, code: "INVALID_SESSION", calls: NOTHING }]);
		}
	});

	it("to a read token for one chat, before any I/O; one for all chats gets in", async () => {
		const user = uuid();
		const chatId = await insertChat(user);
		const bearer = async (chat?: string) =>
			`Bearer ${await createReadToken({ secret: SECRETS[0], userId: user, chatId: chat })}`;
		const refused = await ask({ authorization: await bearer(chatId) });
		expect(refused).toEqual({ status: 403, code: "CHAT_FORBIDDEN", calls: NOTHING });
		expect((await ask({ authorization: await bearer() })).status).toBe(200);
	});
});
