import { beforeAll, describe, expect, it } from "vitest";
import type { ErrorBody } from "../../../src/errors.ts";
import { request, runsPath, uuid } from "../helpers.ts";
import { type OwnedChat, recording, registeredChat, report, wholeDatabase } from "./recorder.ts";

let owned: OwnedChat;
beforeAll(async () => {
	owned = await registeredChat();
});

const newRun = () => `${runsPath(owned.chat)}/${uuid()}`;
/** Every route that takes a body, with one that it would take. */
const routes = () =>
	[
		["PUT", newRun(), report()],
		["PATCH", runsPath(owned.chat), { workflowRuns: [{ id: uuid(), ...report() }] }],
		["PUT", `/api/chats/${uuid()}`, { userId: "somebody" }],
	] as const;

async function expectRefusal(send: () => Promise<Response>, status: number, code: string, message: RegExp) {
	const before = await wholeDatabase();
	const response = await send();
	const body = await response.json<ErrorBody>();
	expect([response.status, body.code]).toEqual([status, code]);
	expect(body.message).toMatch(message);
	expect(await wholeDatabase()).toBe(before);
}

/** JSON that is padded with spaces, in front of its last brace, to so many bytes. */
const padded = (body: unknown, bytes: number) => {
	const json = JSON.stringify(body);
	return `${json.slice(0, -1)}${" ".repeat(bytes - json.length)}}`;
};

/** The text as a stream, so that no Content-Length is sent. */
const streamed = (text: string) => {
	const { readable, writable } = new TransformStream();
	const writer = writable.getWriter();
	// A refused stream is cancelled half way, which fails what is still to be written.
	void writer
		.write(new TextEncoder().encode(text))
		.then(() => writer.close())
		.catch(() => {});
	return readable;
};

describe("a body over 1,000,000 bytes is refused", () => {
	it("by its Content-Length", async () => {
		for (const [method, path, body] of routes()) {
			const send = () => request(path, recording(method, padded(body, 1_000_001)));
			await expectRefusal(send, 413, "BODY_TOO_LARGE", /1,000,000 bytes/);
		}
	});

	it("as a stream without one", async () => {
		for (const [method, path, body] of routes()) {
			const init = { ...recording(method), body: streamed(padded(body, 1_000_001)) };
			await expectRefusal(() => request(path, init), 413, "BODY_TOO_LARGE", /1,000,000 bytes/);
		}
	});

	it("counted in bytes, not in characters", async () => {
		const long = report({
			error: { message: "é".repeat(4_000) },
			steps: Array.from({ length: 130 }, (_, i) => ({
				id: `${i}`,
				status: "pending",
				error: { message: "é".repeat(3_900) },
			})),
		});
		expect(JSON.stringify(long).length).toBeLessThan(600_000);
		await expectRefusal(() => request(newRun(), recording("PUT", long)), 413, "BODY_TOO_LARGE", /./);
	});

	it("and one of exactly as many is taken, both ways", async () => {
		for (const [method, path, body] of routes()) {
			const response = await request(path, recording(method, padded(body, 1_000_000)));
			expect(response.status).toBe(201);
			const again = await request(path, { ...recording(method), body: streamed(padded(body, 1_000_000)) });
			expect(again.status).toBe(200);
		}
	});
});

describe("a body that is not JSON in UTF-8 is refused:", () => {
	const bytes = (...parts: (string | number[])[]) =>
		new Blob(parts.map((part) => (typeof part === "string" ? part : new Uint8Array(part)))).stream();

	it.each<[string, () => BodyInit | null]>([
		["none", () => null],
		["an empty one", () => ""],
		["a form", () => "status=completed"],
		["half of one", () => JSON.stringify(report()).slice(0, -1)],
		["more than one", () => `${JSON.stringify(report())}{}`],
		["single quotes", () => "{'userId':'somebody'}"],
		["NaN", () => '{"position":NaN}'],
		["a byte that is not UTF-8", () => bytes('{"userId":"caf', [0xe9], '"}')],
		["half of a character", () => bytes('{"userId":"', [0xc3], '"}')],
		["a surrogate, in UTF-8", () => bytes('{"userId":"', [0xed, 0xa0, 0x80], '"}')],
		["an overlong slash", () => bytes('{"userId":"', [0xc0, 0xaf], '"}')],
		["UTF-16", () => bytes([0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00])],
		["a nesting of 100,000", () => "[".repeat(100_000)],
	])("%s", async (_, body) => {
		for (const [method, path] of routes()) {
			const send = () => request(path, { ...recording(method), body: body() });
			await expectRefusal(send, 400, "INVALID_BODY", /^The body is not (JSON in )?UTF-8: |expected/);
		}
	});

	it("while a byte order mark is passed over, as RFC 8259 (8.1) lets a reader do", async () => {
		for (const [method, path, body] of routes()) {
			const response = await request(path, recording(method, `\ufeff${JSON.stringify(body)}`));
			expect(response.status).toBe(201);
		}
	});
});

describe("a body of another type is refused:", () => {
	it.each([
		["none", { "content-type": "" }],
		["a form", { "content-type": "application/x-www-form-urlencoded" }],
		["text", { "content-type": "text/plain" }],
		["JSON in lines", { "content-type": "application/x-ndjson" }],
		["something like JSON", { "content-type": "application/jsonp" }],
		["a compressed one", { "content-encoding": "gzip" }],
	])("%s", async (_, headers) => {
		for (const [method, path, body] of routes()) {
			await expectRefusal(
				() => request(path, recording(method, body, headers)),
				415,
				"UNSUPPORTED_MEDIA_TYPE",
				/application\/json/,
			);
		}
	});
});

describe("a body of JSON is taken under every name that it has:", () => {
	it.each([
		"application/json",
		"application/json; charset=utf-8",
		"application/json ;charset=UTF-8",
		"application/json;",
		'application/json; profile="a;b"',
		"application/json;odata.metadata=minimal",
		"APPLICATION/JSON",
		"application/vnd.engine.v2+json",
	])("%s", async (type) => {
		for (const [method, path, body] of routes()) {
			expect((await request(path, recording(method, body, { "content-type": type }))).status).toBe(201);
		}
	});

	it("also where it says that it is not compressed", async () => {
		for (const [method, path, body] of routes()) {
			expect((await request(path, recording(method, body, { "content-encoding": "Identity" }))).status).toBe(201);
		}
	});
});
