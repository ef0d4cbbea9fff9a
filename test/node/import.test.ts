import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { createServer, type RequestListener, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { NOT_STORED } from "#protocol/limits.ts";
import { temporaryFolder } from "./dev-server.ts";
import { startService, TOKEN } from "./harness.ts";
import { runScript, startScript } from "./scripts.ts";

const { folder, remove } = temporaryFolder();
let service: Awaited<ReturnType<typeof startService>>;
beforeAll(async () => {
	service = await startService();
});
afterAll(async () => {
	await service.server.close();
	remove();
});

const run = (more: Record<string, unknown> = {}) => ({
	id: randomUUID(),
	chatId: randomUUID(),
	userId: "demo-user",
	workflowId: "c2d29867-3d0b-4497-9191-18a9d8ee7830",
	status: "completed",
	startedAt: "2024-02-04T12:00:00.000Z",
	completedAt: "2024-02-04T12:01:30.000Z",
	steps: [],
	...more,
});

const toLines = (values: readonly unknown[]) =>
	values.map((value) => (typeof value === "string" ? value : JSON.stringify(value))).join("\n");

/** Imports lines from standard input. */
const importLines = (values: readonly unknown[], { url = service.url, args = [] as string[], token = TOKEN } = {}) =>
	runScript("import.ts", ["-", "--url", url, ...args], { input: toLines(values), token });

/** The counts that an import ends with. */
function counts(output: string): number[] {
	return ["new", "merged", "refused"].map((name) => {
		const [, number = ""] = new RegExp(`^ {2}${name} +([\\d,]+)$`, "m").exec(output) ?? [];
		return Number(number.replaceAll(",", "") || Number.NaN);
	});
}

const stored = async (chat: string) => {
	const { results } = await service.DB.prepare(
		`select run.id, status, user_id from workflow_runs as run join chats on chats.id = chat_id where chat_id = '${chat}'`,
	).all<{ id: string; status: string; user_id: string }>();
	return results;
};

describe("npm run import", () => {
	it("records the runs of a file, whichever chats they are of, and a second time changes nothing", async () => {
		const [one, two] = [randomUUID(), randomUUID()];
		const runs = Array.from({ length: 260 }, (_, i) =>
			run({ chatId: i % 2 ? one : two.toUpperCase(), userId: i % 2 ? "one" : "two" }),
		);
		const { userId, chatId, ...nested } = run({ chatId: one, userId: "one" });
		const file = path.join(folder, "runs.ndjson");
		writeFileSync(file, `\ufeff${toLines([...runs, "", { userId, chatId, run: nested }])}\r\n`);
		const first = await runScript("import.ts", [file, "--url", service.url]);
		expect([first.code, counts(first.output)]).toEqual([0, [261, 0, 0]]);

		const idsOf = (chat: string) => [...runs, { ...nested, chatId }].filter((each) => each.chatId === chat);
		for (const [chat, user, ids] of [
			[one, "one", idsOf(one)],
			[two, "two", idsOf(two.toUpperCase())],
		] as const) {
			const rows = await stored(chat);
			expect(rows.map(({ id }) => id).sort()).toEqual(ids.map(({ id }) => id).sort());
			expect(new Set(rows.map((row) => row.user_id))).toEqual(new Set([user]));
		}

		const revisions = () => service.DB.prepare("select id, revision from chats order by id").all();
		const before = await revisions();
		const again = await runScript("import.ts", [file, "--url", service.url]);
		expect([again.code, counts(again.output)]).toEqual([0, [0, 261, 0]]);
		expect((await revisions()).results).toEqual(before.results);
	});

	it("counts several lines of one run as one that is new, and merges them in any order", async () => {
		const { chatId, ...completed } = run();
		const running = { ...completed, chatId, status: "running", completedAt: null };
		const { code, output } = await importLines([{ ...completed, chatId }, running, running]);
		expect([code, counts(output)]).toEqual([0, [1, 2, 0]]);
		expect(await stored(chatId)).toEqual([{ id: completed.id, status: "completed", user_id: "demo-user" }]);
	});

	it("takes every field, and says line by line what the service left out", async () => {
		const chatId = randomUUID();
		const full = run({
			chatId,
			workflowName: "Research",
			externalId: "wrun_1",
			messageId: "msg_1",
			parentRunId: randomUUID(),
			attempt: 2,
			output: { answer: 42 },
			metrics: { tokens: 12 },
			steps: [
				{ id: "a", status: "running", activity: { at: "2024-02-04T12:00:00.000Z", message: "m" }, parentId: "b" },
			],
		});
		const newer = run({ chatId, retries: 3, steps: [{ id: "a", status: "pending", colour: "red" }] });
		const { code, output } = await importLines([full, newer]);
		expect([code, counts(output)]).toEqual([0, [2, 0, 0]]);
		expect(output).toContain(
			"left out of lines that are in:\n    line 2: retries: unknown field, left out\n    line 2: steps.0.colour: unknown field, left out",
		);
		const { userId: _, chatId: __, ...sent } = full;
		const [row] = (
			await service.DB.prepare(`select details, steps from workflow_runs where id = '${full.id}'`).all<{
				details: string;
				steps: string;
			}>()
		).results;
		const { id, workflowId, status, startedAt, completedAt, steps, ...details } = sent as Record<string, unknown>;
		expect(JSON.parse(row?.details ?? "")).toEqual(details);
		expect(JSON.parse(row?.steps ?? "")).toMatchObject(steps as object[]);
	});

	it("leaves a chat deleted, and brings it back by --restore", async () => {
		const line = run();
		await importLines([line]);
		const { status } = await fetch(`${service.url}/api/chats/${line.chatId}`, {
			method: "DELETE",
			headers: { authorization: `Bearer ${TOKEN}` },
		});
		expect(status).toBe(204);
		const deleted = async () => {
			const sql = `select count(*) as n from chats where id = '${line.chatId}' and deleted_at is not null`;
			return (await service.DB.prepare(sql).all<{ n: number }>()).results[0]?.n === 1;
		};

		const again = await importLines([line, run()]);
		expect([again.code, counts(again.output), await deleted()]).toEqual([1, [1, 0, 1], true]);
		expect(again.output).toContain("line 1: CHAT_DELETED The chat was deleted");
		const restored = await importLines([line], { args: ["--restore"] });
		expect([restored.code, counts(restored.output), await deleted()]).toEqual([0, [0, 1, 0], false]);
	});

	it("takes the export of a user: chats without runs, deleted ones, and lines that say where it goes on", async () => {
		const [kept, deleted, empty] = [run(), run(), randomUUID()];
		const deletedAt = "2024-02-05T00:00:00.000Z";
		const { code, output } = await importLines([
			kept,
			{ nextCursor: "abc" },
			deleted,
			{ userId: "demo-user", chatId: deleted.chatId, deletedAt },
			{ userId: "demo-user", chatId: empty },
			{ nextCursor: null },
		]);
		expect([code, counts(output)]).toEqual([0, [2, 0, 0]]);
		expect(output).toMatch(/^4 lines in .*\n[\s\S]*^ {2}chats +2$/m);
		const sql = `select id, deleted_at is not null as deleted from chats where id in ('${kept.chatId}', '${deleted.chatId}', '${empty}')`;
		const { results } = await service.DB.prepare(sql).all<{ id: string; deleted: number }>();
		const expected = { [kept.chatId]: 0, [deleted.chatId]: 1, [empty]: 0 };
		expect(Object.fromEntries(results.map(({ id, deleted }) => [id, deleted]))).toEqual(expected);
		expect(await stored(deleted.chatId)).toHaveLength(1);

		const cut = await importLines([kept, { nextCursor: "abc" }, deleted.chatId]);
		expect([cut.code, counts(cut.output)]).toEqual([2, [0, 1, 1]]);
		expect(cut.output).toContain("The export is not whole: it breaks off. Get the rest of it with ?cursor=abc,");
	});

	it("says which lines were refused and why, and no other line suffers for it", async () => {
		const chatId = randomUUID();
		const good = () => run({ chatId });
		const foreign = run();
		await importLines([foreign]);
		const long = JSON.stringify(run({ chatId, error: { message: "x".repeat(1_100_000) } }));
		const { code, output } = await importLines([
			good(), // 1
			'{"id":', // 2
			[good()], // 3
			"", // 4
			run({ chatId: "chat-1" }), // 5
			run({ chatId, userId: 7 }), // 6
			good(), // 7
			run({ chatId, status: "done" }), // 8
			run({ chatId, id: foreign.id }), // 9
			run({ chatId, userId: "another-user" }), // 10
			long, // 11
			run({
				chatId,
				steps: [
					{ id: "a", status: "pending" },
					{ id: "a", status: "pending" },
				],
			}), // 12
			run({ chatId, userId: "", id: undefined }), // 13
			good(), // 14
		]);
		expect([code, counts(output)]).toEqual([1, [3, 0, 10]]);
		const refused = [...output.matchAll(/^ {4}(line \d+: .*)$/gm)].map(([, line]) => line);
		expect(refused).toEqual([
			expect.stringMatching(/^line 2: is not JSON: /),
			"line 3: is not a JSON object",
			"line 5: chatId: is not a UUID",
			"line 6: userId: is not text",
			expect.stringMatching(/^line 8: INVALID_BODY status: /),
			expect.stringMatching(/^line 9: RUN_CONFLICT .*another chat/),
			"line 10: CHAT_CONFLICT The chat belongs to another user",
			"line 11: is longer than a request may be, or not UTF-8",
			"line 12: INVALID_BODY steps.1.id: is another step's id too",
			expect.stringMatching(/^line 13: INVALID_BODY userId: must be 1 to 255/),
		]);
		expect(await stored(chatId)).toHaveLength(3);
	});
});

describe("npm run import, with a service that fails,", () => {
	let proxy: Server | undefined;
	afterEach(() => proxy?.close());

	/** A server between: it answers some requests itself, and passes the others on. */
	async function between(answer: (...args: [...Parameters<RequestListener>, number]) => boolean): Promise<string> {
		let number = 0;
		const pass: RequestListener = async (request, response) => {
			const chunks: Buffer[] = [];
			for await (const chunk of request) chunks.push(chunk);
			if (answer(request, response, number++)) return;
			const { method = "", url = "", headers } = request;
			const passed = await fetch(service.url + url, {
				method,
				headers: { authorization: headers.authorization ?? "", "content-type": headers["content-type"] ?? "" },
				body: Buffer.concat(chunks),
			});
			response.writeHead(passed.status, { "content-type": "application/json" }).end(await passed.text());
		};
		// Who asks may be gone in the middle of it.
		const server = createServer((...args) => Promise.resolve(pass(...args)).catch(() => {}));
		proxy = server;
		await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
		return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	}

	it("can be killed half way and started again", async () => {
		const chats = Array.from({ length: 40 }, randomUUID);
		const runs = Array.from({ length: 3_000 }, (_, i) => run({ chatId: chats[i % chats.length] }));
		const file = path.join(folder, "many.ndjson");
		writeFileSync(file, toLines(runs));
		const count = async () => {
			const list = chats.map((chat) => `'${chat}'`).join();
			const { results } = await service.DB.prepare(
				`select count(*) as n from workflow_runs where chat_id in (${list})`,
			).all<{ n: number }>();
			return results[0]?.n as number;
		};

		const isHalfWay = Promise.withResolvers<void>();
		const url = await between((_, __, number) => {
			if (number < 60) return false;
			// It is never answered.
			isHalfWay.resolve();
			return true;
		});
		const killed = startScript("import.ts", [file, "--url", url]);
		await isHalfWay.promise;
		killed.child.kill("SIGKILL");
		await killed.ended;
		const half = await count();
		expect([half > 0, half < 3_000]).toEqual([true, true]);

		const again = await runScript("import.ts", [file, "--url", service.url]);
		expect(again.code).toBe(0);
		const [created = 0, merged = 0, refused] = counts(again.output);
		expect(created + merged).toBe(3_000);
		// What the killed one had sent at last may have arrived after it was counted.
		expect(merged).toBeGreaterThanOrEqual(half);
		expect([refused, await count()]).toEqual([0, 3_000]);
	});

	it("sends again what was lost, busy or limited, and loses nothing", async () => {
		const url = await between((request, response, number) => {
			if (number === 0) return Boolean(request.socket.destroy());
			if (number > 3) return false;
			const status = [503, 429, 502][number - 1] as number;
			response.writeHead(status, status === 503 ? { "retry-after": "1" } : {}).end("busy");
			return true;
		});
		const start = Date.now();
		const { code, output } = await importLines([run()], { url });
		expect([code, counts(output)]).toEqual([0, [1, 0, 0]]);
		expect(Date.now() - start).toBeGreaterThan(1_000);
	});

	it("refuses the lines of runs that are too old to be stored", async () => {
		const [old, young] = [run({ chatId: randomUUID() }), run()];
		const warning = `Workflow run ${old.id}: ${NOT_STORED}: what it tells is older than the service keeps runs`;
		const url = await between(({ method, url }, response) => {
			const isOld = method === "PATCH" && url?.includes(old.chatId) === true;
			if (isOld) response.end(JSON.stringify({ data: { workflowRuns: [old], created: [], warnings: [warning] } }));
			return isOld;
		});
		const { output } = await importLines([young, old], { url });
		expect(counts(output)).toEqual([1, 0, 1]);
		expect(output).toContain(`line 2: ${warning}`);
	});

	it("sends again what was answered by half, or by Cloudflare in place of the service", async () => {
		const whole = '{"data":{"workflowRuns":[],"created":[]}}';
		const head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
		const half = whole.slice(0, 20);
		const failures: [string, (response: ServerResponse) => unknown][] = [
			["a body shorter than its length", ({ socket }) => socket?.end(`${head}content-length: 41\r\n\r\n${half}`)],
			[
				"a chunked body without its end",
				({ socket }) => socket?.end(`${head}transfer-encoding: chunked\r\n\r\n14\r\n${half}\r\n`),
			],
			["a body that ends with the line", ({ socket }) => socket?.end(`${head}connection: close\r\n\r\n${half}`)],
			...[520, 522, 524, 530].map((status): (typeof failures)[number] => [
				`a ${status}`,
				(response) => response.writeHead(status, { "content-type": "text/html" }).end("<html>"),
			]),
		];
		const chats = failures.map(() => randomUUID());
		const failed = new Set<string>();
		const url = await between((request, response) => {
			const which = chats.findIndex((chat) => request.url?.includes(chat));
			if (request.method !== "PATCH" || failed.has(chats[which] as string)) return false;
			failed.add(chats[which] as string);
			failures[which]?.[1](response);
			return true;
		});
		const { code, output } = await importLines(
			chats.map((chatId) => run({ chatId })),
			{ url, args: ["--concurrency", "8"] },
		);
		expect([code, counts(output)]).toEqual([0, [failures.length, 0, 0]]);
		expect(failed.size).toBe(failures.length);
	});

	it("stops, says so and how to go on, and does go on from there", async () => {
		const chats = [randomUUID(), randomUUID()];
		const runs = Array.from({ length: 400 }, (_, i) => run({ chatId: chats[Math.floor(i / 200)] }));
		const file = path.join(folder, "stopped.ndjson");
		writeFileSync(file, toLines(runs));
		const url = await between((request, response) => {
			if (!request.url?.includes(chats[1] as string)) return false;
			response.writeHead(500, { "content-type": "application/json" });
			response.end('{"code":"INTERNAL_ERROR","message":"no","requestId":"abc-123"}');
			return true;
		});
		const stopped = await runScript("import.ts", [file, "--url", url, "--concurrency", "1"]);
		expect([stopped.code, counts(stopped.output)]).toEqual([2, [200, 0, 0]]);
		expect(stopped.output).toContain("answers 500 INTERNAL_ERROR (request abc-123 in its log)");
		const [, from] = /Go on with: npm run import -- \S+ --url \S+ --from-line (\d+)\n/.exec(stopped.output) ?? [];
		expect(from).toBe("201");

		const rest = await runScript("import.ts", [file, "--url", service.url, "--from-line", from as string]);
		expect([rest.code, counts(rest.output)]).toEqual([0, [200, 0, 0]]);
		for (const chat of chats) expect(await stored(chat)).toHaveLength(200);
	});

	it.each<[string, () => Promise<string>, string, RegExp]>([
		["does not take its token", async () => service.url, "x".repeat(40), /does not take the service token/],
		[
			"is another one",
			async () => between((_, response) => Boolean(response.writeHead(404).end("<html>"))),
			TOKEN,
			/answers 404 as edge-runs never does/,
		],
		[
			"is behind a redirect",
			async () =>
				between((_, response) => Boolean(response.writeHead(301, { location: "https://elsewhere.example/" }).end())),
			TOKEN,
			/redirect to https:\/\/elsewhere\.example/,
		],
	])("stops at once if it %s", async (_, url, token, message) => {
		const { code, output } = await importLines([run(), run()], { url: await url(), token });
		expect([code, counts(output)]).toEqual([2, [0, 0, 0]]);
		expect(output).toMatch(message);
		expect(output).toContain("--from-line 1");
		expect(output).not.toContain(token);
	});
});

describe.concurrent("npm run import explains itself:", () => {
	it.each<[string, string[], RegExp]>([
		["no file", ["--url", "http://localhost:1"], /Which file\?/],
		["no address", ["runs.ndjson"], /Where to\?/],
		["a file that is not there", ["no-such.ndjson", "--url", "http://localhost:1"], /no-such\.ndjson does not exist/],
		["a directory", ["src", "--url", "http://localhost:1"], /src is a directory/],
		["no address at all", ["-", "--url", "runs.example.com"], /--url takes an address/],
		["an address in clear", ["-", "--url", "http://runs.example.com"], /would cross the network in clear/],
		["an unknown option", ["-", "--token", "secret"], /Unknown option '--token'/],
		[
			"a number that is none",
			["-", "--url", "http://localhost:1", "--concurrency", "0"],
			/--concurrency takes a whole number/,
		],
	])("%s", async (_, args, message) => {
		const { code, output } = await runScript("import.ts", args);
		expect([code, output.includes("    at ")]).toEqual([2, false]);
		expect(output).toMatch(message);
	});

	it("--help", async () => {
		const { code, output } = await runScript("import.ts", ["--help"]);
		expect(code).toBe(0);
		for (const option of ["--url", "--concurrency", "--from-line", "RECORDER_TOKEN"]) expect(output).toContain(option);
	});
});
