import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { request, requestWith, runsPath, uuid } from "../helpers.ts";
import { type Hooks, type Query, watchBindings } from "../watch-bindings.ts";
import { type OwnedChat, putRun, readList, recording, registeredChat, report } from "./recorder.ts";

let owned: OwnedChat;
let run: string;
beforeEach(async () => {
	owned = await registeredChat();
	run = uuid();
	vi.spyOn(console, "log").mockImplementation(() => {});
	vi.spyOn(console, "error").mockImplementation(() => {});
	// Without the pauses between tries.
	vi.spyOn(Math, "random").mockReturnValue(0);
});
afterEach(() => vi.restoreAllMocks());

/** Sends a report of `run` while D1 does as `hooks` say. */
async function sendReport(hooks: Hooks, vars: Record<string, unknown> = {}) {
	const { calls, ...bindings } = watchBindings(hooks);
	const response = await requestWith(
		{ ...bindings, ...vars },
		`${runsPath(owned.chat)}/${run}`,
		recording("PUT", report()),
	);
	return { response, tries: calls.d1.filter((queries) => !isWrite(queries)).length };
}

const isWrite = (queries: Query[]) => queries.some(({ sql }) => /^(insert|update)/i.test(sql));
const fail = (message: string) => {
	throw new Error(message);
};

/** Throws at the first `times` calls for which `when` holds. */
function failing(message: string, times: number, when = (_: Query[]) => true) {
	let left = times;
	return (queries: Query[]) => {
		if (when(queries) && left-- > 0) fail(message);
	};
}

async function expectStoredOnce(after: Response): Promise<void> {
	const { workflowRuns } = await readList(owned, after);
	expect(workflowRuns).toEqual([{ id: run, chatId: owned.chat, ...report() }]);
}

async function expectNothingStored(): Promise<void> {
	const found = await env.DB.prepare("select count(*) as n from workflow_runs where chat_id = ?")
		.bind(owned.chat)
		.first("n");
	expect(found).toBe(0);
}

async function expectUnavailable(response: Response): Promise<void> {
	expect(response.status).toBe(503);
	expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
	expect(response.headers.get("cache-control")).toBe("no-store");
	const text = await response.text();
	expect(JSON.parse(text)).toMatchObject({ code: "STORE_UNAVAILABLE" });
	expect(text).not.toMatch(/D1|Network|overloaded|constraint/);
}

const LOST = [
	"D1_ERROR: Network connection lost.",
	"D1_ERROR: D1 storage caused object to be reset.",
	"D1_ERROR: D1 DB reset because its code was updated.",
];

describe("a write that D1 loses is sent again, and nothing is lost or double:", () => {
	it.each(LOST)("before it commits: %s", async (message) => {
		const { response, tries } = await sendReport({ onD1: failing(message, 3, isWrite) });
		expect([response.status, tries]).toEqual([201, 4]);
		await expectStoredOnce(response);
	});

	it.each(LOST)("after it has committed: %s", async (message) => {
		const { response, tries } = await sendReport({ afterD1: failing(message, 1, isWrite) });
		// The second try finds the run that the first has made.
		expect([response.status, tries]).toEqual([200, 2]);
		await expectStoredOnce(response);
	});

	it("while it reads what it builds on", async () => {
		const { response, tries } = await sendReport({ onD1: failing(LOST[0] as string, 3) });
		expect([response.status, tries]).toEqual([201, 4]);
		await expectStoredOnce(response);
	});

	it("when the loss is told as another error's cause", async () => {
		let left = 1;
		const onD1 = () => {
			if (left-- > 0) throw new Error("Failed query", { cause: new Error(LOST[0]) });
		};
		expect((await sendReport({ onD1 })).response.status).toBe(201);
	});

	it.each([
		["registering a chat", "PUT", () => uuid(), 200],
		["deleting one", "DELETE", () => owned.chat, 204],
	] as const)("%s", async (_, method, chat, status) => {
		for (const hook of ["onD1", "afterD1"]) {
			const { calls, ...bindings } = watchBindings({ [hook]: failing(LOST[0] as string, 1) });
			const body = method === "PUT" ? { userId: owned.user } : undefined;
			const response = await requestWith(bindings, `/api/chats/${chat()}`, recording(method, body));
			expect([status, 201]).toContain(response.status);
			expect(calls.d1).toHaveLength(2);
		}
	});
});

describe("a write that fails all the same is a 503, leaves nothing half written, and can be sent again:", () => {
	async function expectGivenUp(hooks: Hooks, tries: number, vars: Record<string, unknown> = {}): Promise<void> {
		const sent = await sendReport(hooks, vars);
		await expectUnavailable(sent.response);
		expect(sent.tries).toBe(tries);
		await expectNothingStored();
		const again = await putRun(owned.chat, run, report());
		expect(again.status).toBe(201);
		await expectStoredOnce(again);
	}

	it.each(LOST)("lost again and again, four times: %s", async (message) => {
		await expectGivenUp({ onD1: failing(message, Number.POSITIVE_INFINITY, isWrite) }, 4);
	});

	it("lost again and again while it reads", async () => {
		await expectGivenUp({ afterD1: () => fail(LOST[0] as string) }, 4);
	});

	// What D1 says when it should be left alone, and what is no failure of the network at all.
	it.each([
		"D1_ERROR: D1 DB is overloaded. Requests queued for too long.",
		"D1_ERROR: D1 DB is overloaded. Too many requests queued.",
		"D1_ERROR: D1 DB storage operation exceeded timeout which caused object to be reset.",
		"D1_ERROR: Exceeded maximum DB size.",
		"D1_ERROR: no such table: workflow_runs",
	])("at once, if another try would not help: %s", async (message) => {
		await expectGivenUp({ onD1: failing(message, Number.POSITIVE_INFINITY, isWrite) }, 1);
		await expectGivenUpWhileReading(message);
	});

	async function expectGivenUpWhileReading(message: string): Promise<void> {
		const { response, tries } = await sendReport({ onD1: failing(message, Number.POSITIVE_INFINITY) });
		await expectUnavailable(response);
		expect(tries).toBe(1);
	}

	it("hanging longer than STORE_TIMEOUT_SECONDS", async () => {
		const never = new Promise(() => {});
		const start = Date.now();
		await expectGivenUp({ onD1: (queries) => isWrite(queries) && never }, 1, { STORE_TIMEOUT_SECONDS: 0.5 });
		expect(Date.now() - start).toBeLessThan(4_000);
	});

	it("one statement of the batch failing", async () => {
		// A second run whose row D1 refuses: of the two, the first must not stay.
		const { calls: _, ...bindings } = watchBindings();
		await env.DB.exec(
			"create trigger refuse before insert on workflow_runs when new.workflow_id = 'dddddddd-dddd-4ddd-8ddd-dddddddddddd' begin select raise(abort, 'disk is full'); end",
		);
		try {
			const two = [
				{ id: run, ...report() },
				{ id: uuid(), ...report({ workflowId: "dddddddd-dddd-4ddd-8ddd-dddddddddddd" }) },
			];
			const response = await requestWith(bindings, runsPath(owned.chat), recording("PATCH", { workflowRuns: two }));
			await expectUnavailable(response);
			await expectNothingStored();
		} finally {
			await env.DB.exec("drop trigger refuse");
		}
	});
});

describe("a write that was given up, and that D1 comes to later, does not land behind its opposite:", () => {
	const chatPath = (chat: string) => `/api/chats/${chat}`;
	const isDeleted = async (chat: string) => {
		const found = await env.DB.prepare("select deleted_at is not null as gone from chats where id = ?")
			.bind(chat)
			.first("gone");
		return found === null ? null : found === 1;
	};

	/** Sends a request to a D1 that comes to it only after it was given up, and after `meanwhile`. */
	async function sendLate(chat: string, init: RequestInit, meanwhile: () => Promise<Response>): Promise<void> {
		const [release, settled] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
		const { calls: _, ...bindings } = watchBindings({ onD1: () => release.promise, settledD1: settled.resolve });
		await expectUnavailable(await requestWith({ ...bindings, STORE_TIMEOUT_SECONDS: 0.2 }, chatPath(chat), init));
		expect((await meanwhile()).ok).toBe(true);
		release.resolve();
		await settled.promise;
	}
	const restore = () => ({ userId: owned.user, restore: true });

	it("a deletion", async () => {
		await sendLate(owned.chat, recording("DELETE"), () => request(chatPath(owned.chat), recording("PUT", restore())));
		expect(await isDeleted(owned.chat)).toBe(false);
	});

	it("a restoration", async () => {
		const remove = () => request(chatPath(owned.chat), recording("DELETE"));
		await remove();
		await sendLate(owned.chat, recording("PUT", restore()), remove);
		expect(await isDeleted(owned.chat)).toBe(true);
	});

	it("a registration", async () => {
		const chat = uuid();
		await sendLate(chat, recording("PUT", { userId: owned.user }), () => request("/api/health"));
		expect(await isDeleted(chat)).toBe(null);
	});
});

describe("a write between whose reading and writing another one comes", () => {
	/** Does something else once, or always, before D1 is asked to write. */
	const between = (other: () => Promise<unknown>, times = 1) => {
		let left = times;
		return { onD1: (queries: Query[]) => (isWrite(queries) && left-- > 0 ? other() : undefined) };
	};

	it("begins again, and both are kept", async () => {
		const step = { id: "step-1", status: "pending", startedAt: null, completedAt: null };
		const { response, tries } = await sendReport(between(() => putRun(owned.chat, run, report({ steps: [step] }))));
		expect([response.status, tries]).toEqual([200, 2]);
		const { workflowRuns } = await readList(owned, response);
		expect(workflowRuns).toEqual([{ id: run, chatId: owned.chat, ...report({ steps: [step] }) }]);
	});

	it("is refused if that has put the run under another chat", async () => {
		const other = await registeredChat();
		const { response } = await sendReport(between(() => putRun(other.chat, run, report())));
		expect(response.status).toBe(409);
		await expectNothingStored();
	});

	it.each([
		["the chat", "update chats set deleted_at = '2024-02-05T00:00:00.000Z' where id = ?"],
		["the chat's very row", "delete from chats where id = ?"],
	])("is a 404 if that has deleted %s", async (_, sql) => {
		const { response, tries } = await sendReport(between(() => env.DB.prepare(sql).bind(owned.chat).run()));
		expect([response.status, tries]).toEqual([404, 2]);
		expect(await response.json()).toMatchObject({ code: "CHAT_NOT_FOUND" });
		await expectNothingStored();
	});

	it("is given up in the end if one always comes", async () => {
		await putRun(owned.chat, run, report({ status: "running", completedAt: null }));
		const touch = () => env.DB.prepare("update workflow_runs set revision = ? where id = ?").bind(uuid(), run).run();
		const { response, tries } = await sendReport(between(touch, Number.POSITIVE_INFINITY));
		await expectUnavailable(response);
		expect(tries).toBe(60);
		expect((await putRun(owned.chat, run, report())).status).toBe(200);
	});
});
