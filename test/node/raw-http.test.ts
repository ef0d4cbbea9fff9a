import { randomUUID } from "node:crypto";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Bundle, bundle } from "../../lab/bundle.ts";
import { chatIdOf } from "../../lab/data.ts";
import { seedOurs, seedSession } from "../../lab/seed.ts";
import { openStores, type Server, startServer } from "../../lab/server.ts";
import { temporaryFolder } from "./dev-server.ts";

/*
 * Bytes on a socket, as no HTTP client would send them, to the deployed bundle in workerd.
 */

const TOKEN = "a-recorder-token-of-the-tests-0123456789";
const SECRET = "a test secret of at least thirty-two characters";
/** Its list is larger than what sockets and workerd buffer. */
const LARGE = { runs: 5_000, steps: 5 };

const { folder, remove } = temporaryFolder();
let built: Bundle;
let server: Server;
let cookie: string;
beforeAll(async () => {
	built = await bundle("wrangler.toml", `${folder}/bundle`);
	const state = `${folder}/state`;
	const stores = await openStores("ours", state, built);
	await seedOurs(stores.d1, [LARGE]);
	cookie = await seedSession(stores.kv, SECRET);
	await stores.close();
	server = await startServer({ bundle: "ours", vars: { RECORDER_TOKENS: TOKEN } }, built, { state, secret: SECRET });
});
afterAll(async () => {
	await server.dispose();
	remove();
});

/** Sends bytes, and returns what comes back until the other side closes, or `end` says that it is enough. */
function send(bytes: string | Buffer, end: (received: string) => boolean = () => false): Promise<string> {
	return new Promise((resolve, reject) => {
		const socket = connect(Number(server.url.port), server.url.hostname);
		let received = "";
		const done = () => {
			socket.destroy();
			resolve(received);
		};
		socket.setTimeout(30_000, () => reject(new Error(`no end after 30 s: ${received}`)));
		socket.on("close", done).on("error", done);
		socket.on("data", (part) => {
			received += part.toString("latin1");
			if (end(received)) done();
		});
		socket.write(bytes);
		if (end("")) setTimeout(done, 100);
	});
}

const list = () => `/api/chats/${chatIdOf(LARGE)}/workflow-runs`;
const lines = (request: string, ...headers: string[]) =>
	[request, "Host: localhost", "Connection: close", ...headers, "", ""].join("\r\n");
const get = (path: string, ...headers: string[]) => lines(`GET ${path} HTTP/1.1`, `Cookie: ${cookie}`, ...headers);
const patch = (...headers: string[]) =>
	lines(`PATCH ${list()} HTTP/1.1`, `Authorization: Bearer ${TOKEN}`, "Content-Type: application/json", ...headers);
const latin1 = (text: string) => Buffer.from(text, "latin1");

/** An answer's status and error code. */
const outcome = (answer: string) =>
	`${/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]} ${/"code":"(\w+)"/.exec(answer)?.[1] ?? ""}`.trim();

async function expectWell(): Promise<void> {
	expect(outcome(await send(get("/api/health")))).toBe("200");
	expect(outcome(await send(get(`${list()}?limit=1`)))).toBe("200");
}

it("is small: start-up time grows with it, and the free plan has a limit", () => {
	expect(built.gzippedBytes).toBeLessThan(100 * 1024);
});

describe("bytes that are almost HTTP are answered, and the next request is fine:", () => {
	it.each<[string, () => string | Buffer, string]>([
		["a body on a GET", () => `${get(`${list()}?limit=1`, "Content-Length: 5")}hello`, "200"],
		["a body on a HEAD", () => `${lines(`HEAD ${list()} HTTP/1.1`, "Content-Length: 5")}hello`, "401"],
		["a TRACE", () => lines(`TRACE ${list()} HTTP/1.1`), "405 METHOD_NOT_ALLOWED"],
		["a whole URL of another host", () => get(`http://evil.example${list()}?limit=1`), "200"],
		[
			"bytes beyond ASCII in the cookie",
			() => latin1(lines(`GET ${list()}?limit=1 HTTP/1.1`, `Cookie: \xff=\xfe; \xc3; ${cookie}`)),
			"200",
		],
		[
			"bytes beyond ASCII elsewhere",
			() => latin1(get(`${list()}?limit=1`, "If-None-Match: \xff", "Origin: \xff")),
			"200",
		],
		[
			"100 KB of cookies",
			() => lines(`GET ${list()}?limit=1 HTTP/1.1`, `Cookie: ${"a=b; ".repeat(20_000)}${cookie}`),
			"200",
		],
		["a body that ends too early", () => `${patch("Content-Length: 5")}{"workflowRuns":[]}`, "400 INVALID_BODY"],
		["a body that is said to be huge", () => `${patch("Content-Length: 99999999999999")}{}`, "413 BODY_TOO_LARGE"],
		["a chunk of no size", () => `${patch("Transfer-Encoding: chunked")}zz\r\n{}\r\n0\r\n\r\n`, "400 INVALID_BODY"],
		[
			"a length and chunks",
			() => `${patch("Content-Length: 2", "Transfer-Encoding: chunked")}2\r\n{}\r\n0\r\n\r\n`,
			"400 INVALID_BODY",
		],
		["invalid UTF-8 in the body", () => latin1(`${patch("Content-Length: 2")}"\xff`), "400 INVALID_BODY"],
		["a null byte in the body", () => `${patch("Content-Length: 4")}"a\0"`, "400 INVALID_BODY"],
	])("%s", async (_, bytes, expected) => {
		const answer = await send(bytes());
		expect(outcome(answer)).toBe(expected);
		expect(answer).toMatch(/\r\nx-request-id: [\w-]+\r\n/i);
		await expectWell();
	});

	it.each<[string, () => string | Buffer]>([
		["an unknown method", () => lines(`FOO ${list()} HTTP/1.1`)],
		["a path beyond ASCII", () => latin1(lines("GET /api/chats/\xff HTTP/1.1"))],
		["a null byte in the path", () => lines("GET /api/chats/\0 HTTP/1.1")],
		["a null byte in a header", () => lines(`GET ${list()} HTTP/1.1`, "Cookie: a\0b")],
		["a header without a colon", () => lines(`GET ${list()} HTTP/1.1`, "no colon")],
		["two lengths", () => `${patch("Content-Length: 2", "Content-Length: 20")}{}`],
		["a length below zero", () => `${patch("Content-Length: -2")}{}`],
		["no host", () => `GET ${list()} HTTP/1.1\r\nConnection: close\r\n\r\n`],
		["no HTTP at all", () => Buffer.from([0, 1, 2, 255, 13, 10, 13, 10])],
	])("%s, refused before it reaches the Worker", async (_, bytes) => {
		const answer = await send(bytes());
		expect(outcome(answer)).toMatch(/^(400|501)$/);
		expect(answer).not.toMatch(/x-request-id/i);
		await expectWell();
	});
});

describe("a client that goes", () => {
	it("half way through its body has stored nothing, and the next request is fine", async () => {
		const run = { workflowId: randomUUID(), status: "pending" };
		const body = JSON.stringify({ workflowRuns: [{ id: randomUUID(), ...run }] });
		for (const half of [
			`${patch(`Content-Length: ${body.length}`)}${body.slice(0, -9)}`,
			`${patch("Transfer-Encoding: chunked")}${body.length.toString(16)}\r\n${body}\r\n`,
		]) {
			expect(await send(half, () => true)).toBe("");
			await expectWell();
		}
		expect(await send(get(list()))).not.toContain(run.workflowId);
	});

	it("half way through its answer leaves the next request as it was, many times over", async () => {
		for (let i = 0; i < 20; i++) {
			const some = await send(get(list()), (received) => received.length > 50_000);
			expect(some.length).toBeLessThan(1_000_000);
		}
		await expectWell();
		const whole = await send(get(list()));
		expect(whole.length).toBeGreaterThan(2_000_000);
	});

	it("in the middle of a stream does too", async () => {
		for (let i = 0; i < 20; i++) {
			expect(await send(get(`${list()}/stream`), (received) => received.includes("event: snapshot"))).toMatch(
				/^HTTP\/1.1 200/,
			);
		}
		await expectWell();
	});
});
