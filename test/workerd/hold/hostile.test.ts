import { EventSourceParserStream } from "eventsource-parser/stream";
import { beforeAll, describe, expect, it } from "vitest";
import type { ErrorBody } from "../../../src/errors.ts";
import { request, runsPath, uuid } from "../helpers.ts";
import {
	type OwnedChat,
	putRun,
	readList,
	recording,
	registeredChat,
	report,
	wholeDatabase,
} from "../recording/recorder.ts";

let owned: OwnedChat;
beforeAll(async () => {
	owned = await registeredChat();
});

const read = (path = runsPath(owned.chat), headers: Record<string, string> = {}) =>
	request(path, { headers: { cookie: owned.cookie, ...headers } });
const newRun = () => `${runsPath(owned.chat)}/${uuid()}`;

describe("text of any kind comes back as it was sent", () => {
	/** What JSON, HTML, SSE, SQL and UTF-8 each have trouble with. */
	const TEXTS: [string, string][] = [
		["the first half of a surrogate pair", "\ud83d"],
		["the second half alone", "a\udc00b"],
		["the halves the wrong way round", "\ude80\ud83d"],
		["a null byte", "a\u0000b"],
		["every control character", Array.from({ length: 32 }, (_, i) => String.fromCharCode(i)).join("")],
		["line ends of all kinds", "a\r\nb\rc\nd\u2028e\u2029f"],
		["what an event stream is made of", "\n\ndata: {}\n\nevent: end\nid: 1\n\n"],
		["markup", '</script><img src=x onerror="alert(1)">&amp;&lt;'],
		["quotes and backslashes", `"'\\"\\\\\`\${x}`],
		["SQL", "'); drop table chats; --"],
		["writing in both directions", "\u202eabc\u202c \u0627\u0644"],
		["a byte order mark", "\ufeffa"],
		["what is no character", "\uffff\ufffe\u{10ffff}"],
		["an emoji of several", "👩‍👩‍👧‍👦"],
		["one letter, composed and not", "é é"],
	];

	it.each(TEXTS)("%s", async (_, text) => {
		const mine = await registeredChat(owned);
		const run = uuid();
		const error = { message: text };
		const sent = report({ status: "failed", error, steps: [step({ id: text, name: text, error })] });
		const stored = { id: run, chatId: mine.chat, ...sent };

		const put = await putRun(mine.chat, run, sent);
		expect([put.status, await put.json()]).toEqual([201, { data: { workflowRun: stored } }]);
		const { workflowRuns, text: body, etag } = await readList(mine, put);
		expect(workflowRuns).toEqual([stored]);
		// And back again changes nothing.
		const again = await putRun(mine.chat, run, JSON.parse(JSON.stringify(workflowRuns[0])));
		expect(again.status).toBe(200);
		expect((await readList(mine, again)).etag).toBe(etag);

		expect((await firstEvent(`${runsPath(mine.chat)}/stream`)).workflowRuns).toEqual([stored]);
		expect(await firstEvent(`${runsPath(mine.chat)}/${run}/stream`)).toEqual(stored);
		expect(body).not.toContain("\n");

		const page = await read(`/chats/${mine.chat}`);
		expect(page.status).toBe(200);
		const html = await page.text();
		// The page's own script is its only one.
		expect([html.match(/<script/g)?.length, html.includes("<img")]).toEqual([1, false]);
		expect(html).toContain("</html>");
	});

	const step = (more: Record<string, unknown>) => ({
		status: "failed",
		startedAt: null,
		completedAt: "2024-02-04T12:01:00.000Z",
		...more,
	});

	async function firstEvent(path: string) {
		const { body } = await read(path);
		const reader = body
			?.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
			.pipeThrough(new EventSourceParserStream())
			.getReader();
		const { value } = (await reader?.read()) ?? {};
		await reader?.cancel();
		return JSON.parse(value?.data ?? "null");
	}
});

describe("JSON that is a trap", () => {
	async function expectRefused(json: string, message: RegExp): Promise<void> {
		const before = await wholeDatabase();
		const response = await request(newRun(), recording("PUT", json));
		const body = await response.json<ErrorBody>();
		expect([response.status, body.code]).toEqual([400, "INVALID_BODY"]);
		expect(body.message).toMatch(message);
		expect(await wholeDatabase()).toBe(before);
	}

	const json = JSON.stringify(report());
	const withField = (field: string) => json.replace("{", `{${field},`);

	it.each([
		["__proto__", '"__proto__":{"status":"failed"}'],
		["__proto__ in a step", '"steps":[{"id":"a","status":"pending","__proto__":{"error":{"message":"x"}}}]'],
		["constructor", '"constructor":{"prototype":{"isAdmin":true}}'],
		["prototype", '"prototype":{}'],
		["toString", '"toString":"x"'],
		["hasOwnProperty", '"hasOwnProperty":1'],
	])("is left out: the prototype's %s", async (name, field) => {
		const sent = json.replace('"steps":[]', '"position":0').replace(',"position":0', `,${field}`);
		const put = await request(newRun(), recording("PUT", sent));
		expect(put.status).toBe(201);
		const { data } = await put.json<{ data: { workflowRun: { status: string }; warnings: string[] } }>();
		expect(data.workflowRun.status).toBe("completed");
		expect(data.warnings).toEqual([expect.stringContaining(`${name.split(" ")[0]}: unknown field, left out`)]);
		expect(({} as Record<string, unknown>)["isAdmin"]).toBeUndefined();
	});

	it.each([
		["1e400", '"steps":[{"id":"a","status":"pending","position":1e400}]', /position/],
		["-1e400", '"steps":[{"id":"a","status":"pending","position":-1e400}]', /position/],
		["a hundred digits", `"steps":[{"id":"a","status":"pending","position":${"9".repeat(100)}}]`, /position/],
		["a deep array", `"steps":${"[".repeat(5_000)}${"]".repeat(5_000)}`, /steps/],
		["a deep object", `"error":${'{"message":'.repeat(5_000)}1${"}".repeat(5_000)}`, /error/],
		["a million steps of nothing", `"steps":[${"0,".repeat(400_000)}0]`, /steps/],
	])("is refused: %s", async (_, field, message) => {
		await expectRefused(withField(field).replace(',"steps":[]', ""), message);
	});

	it("is left out: a deep envelope", async () => {
		const deep = withField(`"data":${'{"data":'.repeat(5_000)}1${"}".repeat(5_000)}`);
		const put = await request(newRun(), recording("PUT", deep));
		expect(await put.json()).toMatchObject({ data: { warnings: ["data: unknown field, left out"] } });
	});

	it("of one key twice says what its last one says, as RFC 8259 (4) foresees, in all that is checked", async () => {
		const twice = withField('"status":"running"');
		const put = await request(newRun(), recording("PUT", twice));
		expect(await put.json()).toMatchObject({ data: { workflowRun: { status: "completed" } } });
		await expectRefused(`${json.slice(0, -1)},"status":"running"}`, /must be null with status running/);
	});

	it("is taken where a step is called like a prototype's key", async () => {
		const steps = ["__proto__", "constructor", "toString"].map((id) => ({ id, status: "pending" }));
		const put = await request(newRun(), recording("PUT", report({ steps })));
		const { data } = await put.json<{ data: { workflowRun: { steps: { id: string }[] } } }>();
		expect(data.workflowRun.steps.map(({ id }) => id).sort()).toEqual(["__proto__", "constructor", "toString"]);
	});
});

describe("a request that is too much", () => {
	it("of a URL of 16 KB is answered", async () => {
		const long = "x".repeat(16_000);
		expect((await read(`${runsPath(owned.chat)}?${long}`)).status).toBe(200);
		expect((await read(`${runsPath(owned.chat)}?cursor=${long}`)).status).toBe(400);
		expect((await read(runsPath(long))).status).toBe(400);
		expect((await read(runsPath("%".repeat(16_000)))).status).toBe(400);
		expect((await read(`/${"a/".repeat(8_000)}`)).status).toBe(404);
	});

	it("of thousands of parameters, of one or of many names, is answered", async () => {
		const many = Array.from({ length: 3_000 }, (_, i) => `p${i}=1`).join("&");
		expect((await read(`${runsPath(owned.chat)}?${many}`)).status).toBe(200);
		expect((await read(`${runsPath(owned.chat)}?${"limit=1&".repeat(2_000)}`)).status).toBe(400);
		expect((await read(`${runsPath(owned.chat)}?${"__proto__=1&__proto__[limit]=0&".repeat(400)}`)).status).toBe(200);
	});

	it("of 500 cookies finds the session among them", async () => {
		const others = Array.from({ length: 500 }, (_, i) => `c${i}=%E0%A4%A`).join("; ");
		expect((await read(undefined, { cookie: `${others}; ${owned.cookie}` })).status).toBe(200);
		expect((await read(undefined, { cookie: others })).status).toBe(401);
		const forged = Array(500).fill("better-auth.session_token=a.b").join("; ");
		expect((await read(undefined, { cookie: forged })).status).toBe(401);
	});

	it.each(["x-request-id", "last-event-id", "if-none-match", "accept", "origin", "range", "user-agent"])(
		"of a %s of 16 KB is answered",
		async (name) => {
			for (const value of ["x".repeat(16_000), '"a",'.repeat(4_000), " ".repeat(16_000), "*/*,".repeat(4_000)]) {
				const response = await read(undefined, { [name]: value });
				expect(response.status).toBe(200);
				expect(response.headers.get("x-request-id")?.length).toBeLessThanOrEqual(255);
			}
		},
	);

	it.each(["authorization", "content-type", "content-encoding"])("of a %s of 16 KB is refused", async (name) => {
		for (const value of [
			"x".repeat(16_000),
			`Bearer ${" ".repeat(15_000)}x`,
			`application/${"a.".repeat(8_000)}json`,
		]) {
			const response = await request(newRun(), recording("PUT", report(), { [name]: value }));
			expect([401, 415]).toContain(response.status);
		}
	});
});

describe("a cookie that is malformed", () => {
	it.each([
		"better-auth.session_token",
		"better-auth.session_token=",
		"better-auth.session_token=%",
		"better-auth.session_token=%E0%A4%A",
		"better-auth.session_token=%00.%00",
		"better-auth.session_token=..",
		'better-auth.session_token="a.b"',
		`better-auth.session_token=${"a".repeat(8_000)}.${"b".repeat(43)}=`,
		"=;=;=",
		";;;;",
		"__proto__=1; constructor=2",
	])("is no session: %s", async (cookie) => {
		expect((await read(undefined, { cookie })).status).toBe(401);
	});
});

describe("a method that is odd", () => {
	it.each(["PROPFIND", "QUERY", "PURGE", "LOCK", "OPTIONS"])("is a 405: %s", async (method) => {
		for (const path of [runsPath(owned.chat), newRun(), "/api/health"]) {
			const response = await request(path, { method, headers: { cookie: owned.cookie } });
			expect([response.status, response.headers.get("allow")?.split(", ")]).toEqual([
				405,
				expect.arrayContaining(["GET"]),
			]);
		}
	});
});
