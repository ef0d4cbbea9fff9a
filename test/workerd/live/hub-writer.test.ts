import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { ChatHub } from "../../../src/live/hub.ts";
import { eventually, insertRuns, request, requestWith, runsPath, uuid } from "../helpers.ts";
import { patchRuns, putRun, readList, recording, registeredChat, report } from "../recording/recorder.ts";
import { type Hooks, type Query, watchBindings } from "../watch-bindings.ts";
import { bindHub, hubOf, hubsThat } from "./hub.ts";

const logged = vi.fn<(line: string) => void>();
const record = vi.spyOn(ChatHub.prototype, "record");
beforeAll(() => {
	vi.spyOn(console, "log").mockImplementation(logged);
	vi.spyOn(console, "error").mockImplementation(() => {});
});
afterAll(() => vi.restoreAllMocks());

const running = (more: Record<string, unknown> = {}) => report({ status: "running", completedAt: null, ...more });
const step = (id: string) => ({ id, status: "running", startedAt: null, completedAt: null });
const isWrite = (queries: Query[]) => queries.some(({ sql }) => /^(insert|update)/i.test(sql));

/** A chat whose hub asks D1 through `hooks`; `calls` counts its round trips. */
async function watchedHub(hooks: Hooks = {}) {
	const owned = await registeredChat();
	const { calls, DB } = watchBindings(hooks);
	await bindHub(owned.chat, { DB });
	return { ...owned, calls };
}

/** Until so many reports of a chat have reached its hub. */
const handedOver = (chat: string, reports: number) =>
	eventually(() => expect(record.mock.calls.filter(([id]) => id === chat)).toHaveLength(reports));

/** Who wrote the latest request of this path, by its log line. */
function writerOf(path: string): string | undefined {
	const lines = logged.mock.calls.map(([line]) => JSON.parse(line)).filter((line) => line.path?.endsWith(path));
	return lines.at(-1)?.writer;
}

describe("a chat's hub, as its writer", () => {
	it("writes a run's first report in two round trips, and each further one in one", async () => {
		const { chat, calls, ...owned } = await watchedHub();
		const run = uuid();
		const roundTrips = async (body: unknown) => {
			const before = calls.d1.length;
			const { status } = await putRun(chat, run, body);
			return [status, calls.d1.length - before];
		};
		expect(await roundTrips(running())).toEqual([201, 2]);
		expect(await roundTrips(running({ steps: [step("a")] }))).toEqual([200, 1]);
		expect(await roundTrips(report())).toEqual([200, 1]);
		// What changes nothing is compared with what D1 has, and not written.
		expect(await roundTrips(report())).toEqual([200, 1]);
		expect(writerOf(run)).toBe("hub");
		const { workflowRuns } = await readList({ chat, ...owned }, await putRun(chat, run, report()));
		expect(workflowRuns).toEqual([{ id: run, chatId: chat, ...report({ steps: [step("a")] }) }]);
	});

	it("takes a run that it does not know for a new one where the last one was, and notices if it is not", async () => {
		const { chat, calls, ...owned } = await watchedHub();
		const [first, known] = [uuid(), uuid()];
		await putRun(chat, first, running());
		const roundTrips = async (run: string, body: unknown) => {
			const before = calls.d1.length;
			const { status } = await putRun(chat, run, body);
			return [status, calls.d1.length - before];
		};
		expect(await roundTrips(uuid(), running())).toEqual([201, 1]);
		await requestWith({}, `${runsPath(chat)}/${known}`, recording("PUT", running({ steps: [step("a")] })));
		// The guard fails; the run is read, and written.
		expect(await roundTrips(known, running({ steps: [step("b")] }))).toEqual([200, 3]);
		expect(await roundTrips(uuid(), running())).toEqual([201, 2]);
		const { workflowRuns } = await readList({ chat, ...owned }, await putRun(chat, known, report()));
		expect(workflowRuns.find(({ id }) => id === known)?.steps.map(({ id }) => id)).toEqual(["a", "b"]);
		expect((await putRun((await registeredChat()).chat, known, running())).status).toBe(409);
	});

	it("answers 200 writers of one run within 60 round trips, and loses none", async () => {
		const { chat, calls, ...owned } = await watchedHub();
		const run = uuid();
		const steps = Array.from({ length: 200 }, (_, i) => step(`step-${i}`));
		const responses = await Promise.all(steps.map((each) => putRun(chat, run, running({ steps: [each] }))));
		expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([200, 201]));
		expect(responses.filter(({ status }) => status === 201)).toHaveLength(1);
		expect(calls.d1.length).toBeLessThan(60);
		const { workflowRuns } = await readList({ chat, ...owned }, responses.at(-1) as Response);
		expect(workflowRuns[0]?.steps.map(({ id }) => id).sort()).toEqual(steps.map(({ id }) => id).sort());
	});

	it("commits together what has come meanwhile, each with an answer of its own: a bad report fails alone", async () => {
		const gate = Promise.withResolvers<void>();
		const { chat, calls } = await watchedHub({ onD1: () => gate.promise });
		const [first, one, other] = [uuid(), uuid(), uuid()];
		const leading = putRun(chat, first, running());
		await eventually(() => expect(calls.d1).toHaveLength(1));
		const following = [
			() => putRun(chat, one, running()),
			() => putRun(chat, one, running({ workflowId: uuid() })),
			() =>
				patchRuns(chat, [
					{ id: one, ...running({ steps: [step("b")] }) },
					{ id: other, ...running() },
				]),
			() => putRun(chat, first, running({ steps: [step("c")] })),
		];
		const answers: Promise<Response>[] = [];
		for (const [index, send] of following.entries()) {
			answers.push(send());
			await handedOver(chat, index + 2);
		}
		gate.resolve();
		const responses = await Promise.all([leading, ...answers]);
		expect(responses.map(({ status }) => status)).toEqual([201, 201, 409, 201, 200]);
		// The first has read and written. The others are one write: that run is remembered, and the new ones are expected.
		expect(calls.d1).toHaveLength(3);
		const { data } = await (responses[3] as Response).json<{ data: { created: string[] } }>();
		expect(data.created).toEqual([other]);
	});

	it("refuses alone what D1 refuses, and does not have the others of its group wait for a round trip each", async () => {
		const refused = "dddddddd-dddd-4ddd-8ddd-dddddddddddd";
		await env.DB.exec(
			`create trigger refuse_one before insert on workflow_runs when new.workflow_id = '${refused}' begin select raise(abort, 'no'); end`,
		);
		try {
			const gate = Promise.withResolvers<void>();
			const { chat, calls } = await watchedHub({ onD1: () => gate.promise });
			const leading = putRun(chat, uuid(), running());
			await eventually(() => expect(calls.d1).toHaveLength(1));
			const workflows = Array.from({ length: 31 }, (_, i) => (i === 20 ? refused : uuid()));
			const following = workflows.map((workflowId) => putRun(chat, uuid(), running({ workflowId })));
			await handedOver(chat, 32);
			gate.resolve();
			const responses = await Promise.all([leading, ...following]);
			expect(responses.map(({ status }) => status)).toEqual([
				201,
				...workflows.map((id) => (id === refused ? 503 : 201)),
			]);
			expect(calls.d1.length).toBeLessThan(31);
		} finally {
			await env.DB.exec("drop trigger refuse_one");
		}
	});

	it("begins again where a door has written a run round it, and loses nothing", async () => {
		const { chat, calls, ...owned } = await watchedHub();
		const run = uuid();
		await putRun(chat, run, running({ steps: [step("a")] }));
		const direct = `${runsPath(chat)}/${run}`;
		await requestWith({}, direct, recording("PUT", running({ steps: [step("b")] })));
		expect(writerOf(direct)).toBe("door");
		const before = calls.d1.length;
		const response = await putRun(chat, run, running({ steps: [step("c")] }));
		// The guard fails; the run is read, and written.
		expect(calls.d1.length - before).toBe(3);
		const { workflowRuns } = await readList({ chat, ...owned }, response);
		expect(workflowRuns[0]?.steps.map(({ id }) => id)).toEqual(["a", "b", "c"]);
	});

	it("makes a run again that has gone round it, though the report says nothing new", async () => {
		const { chat, ...owned } = await registeredChat();
		const run = uuid();
		await putRun(chat, run, running());
		await env.DB.prepare("delete from workflow_runs where id = ?").bind(run).run();
		const response = await putRun(chat, run, running());
		expect(response.status).toBe(201);
		expect((await readList({ chat, ...owned }, response)).workflowRuns).toHaveLength(1);
	});

	it.each([
		["deleted", "update chats set deleted_at = '2024-02-05T00:00:00.000Z' where id = ?", 404],
		["gone", "delete from chats where id = ?", 404],
	])("refuses a remembered run's report once the chat is %s", async (_, sql, status) => {
		const { chat } = await registeredChat();
		const run = uuid();
		await putRun(chat, run, running());
		await env.DB.batch([
			env.DB.prepare("delete from workflow_runs where chat_id = ?").bind(chat),
			env.DB.prepare(sql).bind(chat),
		]);
		expect((await putRun(chat, run, report())).status).toBe(status);
	});

	it("goes on where it was evicted, and reads anew", async () => {
		const { chat, ...owned } = await registeredChat();
		const run = uuid();
		await putRun(chat, run, running({ steps: [step("a")] }));
		await evictDurableObject(hubOf(chat));
		const response = await putRun(chat, run, running({ steps: [step("b")] }));
		const { workflowRuns } = await readList({ chat, ...owned }, response);
		expect(workflowRuns[0]?.steps).toHaveLength(2);
	});

	it("is told D1's refusal, and passes it on as the door would", async () => {
		const { chat } = await watchedHub({
			onD1: (queries) => {
				if (isWrite(queries)) throw new Error("D1_ERROR: D1 DB is overloaded. Too many requests queued.");
			},
		});
		const response = await putRun(chat, uuid(), running());
		expect([response.status, response.headers.get("retry-after")]).toEqual([503, "2"]);
		expect(await response.text()).not.toMatch(/D1_|overloaded/);
	});

	it("refuses a run of another chat, and steps over the limit", async () => {
		const [mine, other] = [await registeredChat(), await registeredChat()];
		const run = uuid();
		await putRun(other.chat, run, running());
		expect((await putRun(mine.chat, run, running())).status).toBe(409);
		expect((await request(`/api/chats/${uuid()}/workflow-runs/${run}`, recording("PUT", running()))).status).toBe(404);
	});
});

describe("a door writes by itself where the hub", () => {
	it("is not bound", async () => {
		const { statuses } = await recordTwice({ HUB: undefined });
		expect(statuses).toEqual([201, 200]);
	});

	it.each([
		["throws", () => Promise.reject(new Error("Durable Object reset because its code was updated."))],
		["hangs", () => new Promise(() => {})],
		[
			"is overloaded",
			() => Promise.reject(Object.assign(new Error("Durable Object is overloaded."), { overloaded: true })),
		],
	])("%s, and leaves it alone for a while", async (_, fail) => {
		const ask = vi.fn(fail);
		const { statuses } = await recordTwice({ HUB: hubsThat({ record: ask, tell: ask }), STORE_TIMEOUT_SECONDS: 0.5 });
		expect(statuses).toEqual([201, 200]);
		expect(ask).toHaveBeenCalledTimes(1);
	});

	async function recordTwice(bindings: Parameters<typeof requestWith>[0]) {
		const owned = await registeredChat();
		const run = uuid();
		const path = `${runsPath(owned.chat)}/${run}`;
		const responses = [
			await requestWith(bindings, path, recording("PUT", running())),
			await requestWith(bindings, path, recording("PUT", report())),
		] as const;
		expect(writerOf(path)).toBe("door");
		expect((await readList(owned, responses[1])).workflowRuns).toEqual([{ id: run, chatId: owned.chat, ...report() }]);
		return { statuses: responses.map(({ status }) => status) };
	}

	it("has written, and its answer is lost: the run is there once", async () => {
		const owned = await registeredChat();
		const run = uuid();
		const real = hubOf(owned.chat) as unknown as { record(...args: unknown[]): Promise<unknown> };
		const HUB = {
			idFromName: () => ({}),
			get: () => ({
				record: async (...args: unknown[]) => {
					await real.record(...args);
					throw new Error("Network connection lost.");
				},
			}),
		} as unknown as DurableObjectNamespace;
		const response = await requestWith({ HUB }, `${runsPath(owned.chat)}/${run}`, recording("PUT", running()));
		expect(response.status).toBe(200);
		expect((await readList(owned, response)).workflowRuns).toHaveLength(1);
	});

	it("stored its runs before: it finds them", async () => {
		const owned = await registeredChat();
		const [run] = await insertRuns(owned.chat, [{ status: "running", completedAt: null }]);
		const workflowId = await env.DB.prepare("select workflow_id from workflow_runs where id = ?")
			.bind(run)
			.first("workflow_id");
		expect((await putRun(owned.chat, run as string, report({ workflowId }))).status).toBe(200);
	});
});
