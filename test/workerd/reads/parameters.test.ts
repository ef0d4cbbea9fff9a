import { beforeAll, describe, expect, it } from "vitest";
import type { WorkflowRunList } from "../../../src/workflow-runs/schemas.ts";
import { insertChat, insertRuns, request, requestWith, runsPath, type StoredRun, signIn, uuid } from "../helpers.ts";
import { watchBindings } from "../watch-bindings.ts";

/** Two pending, four that started in the same millisecond, one earlier: pages must break within ties. */
const RUNS: StoredRun[] = [
	{ status: "pending", startedAt: null, completedAt: null },
	{ status: "pending", startedAt: null, completedAt: null },
	{ status: "running", completedAt: null },
	{ status: "failed" },
	{},
	{},
	{ status: "cancelled", startedAt: "2024-01-01T00:00:00.000Z" },
];

const user = uuid();
let chat: string;
let cookie: string;

beforeAll(async () => {
	({ cookie } = await signIn(user));
	chat = await insertChat(user);
	await insertRuns(chat, RUNS);
});

const get = (query: string, chatId = chat) => request(`${runsPath(chatId)}${query}`, { headers: { cookie } });

async function list(query: string, chatId = chat): Promise<WorkflowRunList["data"]> {
	const response = await get(query, chatId);
	expect(response.status).toBe(200);
	return (await response.json<WorkflowRunList>()).data;
}

async function refusal(query: string): Promise<string> {
	const response = await get(query);
	const { code, message } = await response.json<{ code: string; message: string }>();
	return `${response.status} ${code} ${message}`;
}

/** Follows `nextCursor` to the end. */
async function pages(query: string) {
	const all: WorkflowRunList["data"]["workflowRuns"][] = [];
	let { workflowRuns, nextCursor } = await list(`?${query}`);
	all.push(workflowRuns);
	while (nextCursor) {
		({ workflowRuns, nextCursor } = await list(`?${query}&cursor=${encodeURIComponent(nextCursor)}`));
		all.push(workflowRuns);
	}
	expect(nextCursor).toBeNull();
	return all;
}

describe("limit and cursor", () => {
	it.each([1, 2, 3, 6, 7, 100])("page by %i through the whole list, over ties, each run once", async (limit) => {
		const whole = await list("");
		expect(whole).not.toHaveProperty("nextCursor");
		const read = await pages(`limit=${limit}`);
		expect(read.flat()).toEqual(whole.workflowRuns);
		expect(read).toHaveLength(Math.ceil(RUNS.length / limit));
	});

	it("take a status that is repeated for a list", async () => {
		expect(await list("?status=running&status=failed")).toEqual(await list("?status=running,failed"));
	});

	it("page within a status", async () => {
		const read = await pages("limit=1&status=completed,pending");
		expect(read.flat().map((run) => run.status)).toEqual(["pending", "pending", "completed", "completed"]);
	});

	it("need not come together: a cursor alone gives all the rest", async () => {
		const whole = await list("");
		const { nextCursor } = await list("?limit=3");
		const rest = await list(`?cursor=${nextCursor}`);
		expect(rest).toEqual({ workflowRuns: whole.workflowRuns.slice(3), nextCursor: null });
	});

	it("go on where they stopped when a newer run has come meanwhile", async () => {
		const growing = await insertChat(user);
		await insertRuns(growing, RUNS);
		const { nextCursor } = await list("?limit=3", growing);
		const before = await list(`?cursor=${nextCursor}`, growing);
		await insertRuns(growing, [{ status: "running", startedAt: "2024-03-01T00:00:00.000Z", completedAt: null }]);
		expect(await list(`?cursor=${nextCursor}`, growing)).toEqual(before);
		expect((await list("", growing)).workflowRuns).toHaveLength(RUNS.length + 1);
	});

	it.each(["0", "-1", "101", "1000", "1.5", "1e2", "0x10", "01", "+5", " 5", "", "ten", "NaN", "1,2", "٣"])(
		"refuse limit=%s by name",
		async (value) => {
			expect(await refusal(`?limit=${encodeURIComponent(value)}`)).toMatch(/^400 INVALID_PARAMETER limit: .*1 to 100/);
		},
	);

	it("refuse a broken cursor by name: it is never taken for the first page", async () => {
		const { nextCursor } = await list("?limit=2");
		const broken = [
			"",
			"x",
			"null",
			"%00",
			"%F0%9F%98%80",
			nextCursor?.slice(0, -1),
			nextCursor?.slice(1),
			`${nextCursor}AAAA`,
			btoa("2024-02-04T12:00:00.000Z"),
			btoa(`2024-02-04 ${uuid()}`),
			btoa("~ not-a-uuid"),
			btoa(`~ ${uuid()}' or 1=1 --`),
			"A".repeat(5_000),
		];
		for (const cursor of broken) expect(await refusal(`?cursor=${cursor}`)).toMatch(/^400 INVALID_PARAMETER cursor: /);
	});
});

describe("status", () => {
	it.each([
		["pending", 2],
		["running", 1],
		["completed,failed", 3],
		["cancelled,cancelled", 1],
		["pending,running,completed,failed,cancelled", 7],
	])("=%s serves those runs alone", async (statuses, count) => {
		const { workflowRuns } = await list(`?status=${statuses}`);
		expect(workflowRuns).toHaveLength(count);
		for (const run of workflowRuns) expect(statuses.split(",")).toContain(run.status);
	});

	it.each([100, 1_000])("may be repeated %i times: D1 takes 100 parameters, and is asked with fewer", async (times) => {
		const { calls, ...bindings } = watchBindings();
		const query = `?status=${Array(times).fill("failed").join()},running`;
		const response = await requestWith(bindings, runsPath(chat) + query, { headers: { cookie } });
		expect(response.status).toBe(200);
		expect((await response.json<WorkflowRunList>()).data.workflowRuns).toHaveLength(2);
		for (const { params } of calls.d1.flat()) expect(JSON.stringify(params).length).toBeLessThan(200);
	});

	it.each(["", "done", "Pending", "pending,", ",pending", "pending;running", "pending, running", "null", "*"])(
		"=%s is refused by name",
		async (value) => {
			const message = await refusal(`?status=${encodeURIComponent(value)}`);
			expect(message).toMatch(/^400 INVALID_PARAMETER status: .*pending/);
		},
	);
});

describe("other parameters", () => {
	it("are ignored", async () => {
		const whole = await list("");
		expect(await list("?page=2&Limit=1&__proto__=1&constructor=x&limit[]=1&%00=%FF")).toEqual(whole);
	});

	it.each(["limit=1&limit=2", "limit=1&limit=1", "cursor=a&cursor=b", "steps=none&steps=none"])(
		"are refused by name where one is repeated: %s",
		async (query) => {
			expect(await refusal(`?${query}`)).toMatch(
				new RegExp(`^400 INVALID_PARAMETER ${query.slice(0, query.indexOf("="))}: is repeated`),
			);
		},
	);

	it("are looked at only after the chat's id, and before the chat", async () => {
		const ask = async (path: string) => (await request(`${path}?limit=0`, { headers: { cookie } })).json();
		expect(await ask(runsPath("not-a-uuid"))).toMatchObject({ code: "INVALID_CHAT_ID" });
		expect(await ask(runsPath(uuid()))).toMatchObject({ code: "INVALID_PARAMETER" });
	});
});
