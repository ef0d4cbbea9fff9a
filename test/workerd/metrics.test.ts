import { createExecutionContext, createScheduledController, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterAll, beforeEach, describe, expect, it, vi } from "vitest";
import { app } from "../../src/app.ts";
import { ERRORS } from "../../src/errors.ts";
import worker from "../../src/index.ts";
import { BLOBS, DOUBLES } from "../../src/metrics.ts";
import { eventually, insertChat, request, requestWith, runsPath, signIn, uuid } from "./helpers.ts";
import { bindHub, hubsThat } from "./live/hub.ts";
import { closeStreams, open } from "./live/streams.ts";
import { putRun, recording, registeredChat, report } from "./recording/recorder.ts";
import { watchBindings } from "./watch-bindings.ts";

let points: AnalyticsEngineDataPoint[];
beforeEach(() => {
	points = [];
});
afterAll(closeStreams);

const METRICS: AnalyticsEngineDataset = { writeDataPoint: (point) => void points.push(point ?? {}) };
const bound = { METRICS, HUB: env.HUB };

/** The points of an event, each with its fields by name; those that are empty or 0 are left out. */
function measured(event: string): Record<string, unknown>[] {
	return points
		.filter(({ indexes }) => indexes?.[0] === event)
		.map(({ blobs = [], doubles = [] }) => {
			const fields = [...BLOBS.map((name, i) => [name, blobs[i]]), ...DOUBLES.map((name, i) => [name, doubles[i]])];
			return Object.fromEntries(fields.filter(([, value]) => value !== "" && value !== 0));
		});
}

describe("a data point", () => {
	it("fits into Analytics Engine", async () => {
		await requestWith(bound, "/api/health");
		expect(points.length).toBeGreaterThan(0);
		for (const { indexes = [], blobs = [], doubles = [] } of points) {
			expect([indexes.length, blobs.length, doubles.length]).toEqual([1, BLOBS.length, DOUBLES.length]);
			expect(blobs.length).toBeLessThanOrEqual(20);
			expect(doubles.length).toBeLessThanOrEqual(20);
			expect(doubles.every(Number.isFinite)).toBe(true);
			expect(new TextEncoder().encode(String(indexes[0])).byteLength).toBeLessThanOrEqual(96);
			expect(blobs.join("").length).toBeLessThan(5_000);
		}
	});

	it("is written for each request, with the route and how the cache took part", async () => {
		const user = uuid();
		const { cookie } = await signIn(user);
		const chat = await insertChat(user);
		const read = () =>
			requestWith({ ...bound, CF_VERSION_METADATA: { id: "v1" } as never }, runsPath(chat), { headers: { cookie } });
		await read();
		await read();
		const point = {
			level: "info",
			method: "GET",
			route: "/api/chats/:chatId/workflow-runs",
			deployment: "v1",
			status: 200,
		};
		expect(measured("request")).toMatchObject([
			{ ...point, cache: "miss" },
			{ ...point, cache: "hit" },
		]);
		expect(measured("request")).toHaveLength(2);
	});

	it("names the error that a request was answered with", async () => {
		await requestWith(bound, runsPath(uuid()));
		await requestWith(bound, runsPath("no-uuid"), recording("PATCH", {}));
		await requestWith(bound, `/api/${uuid()}`);
		await requestWith(bound, "/api/health", { method: "DELETE" });
		expect(measured("request").map(({ status, code }) => [status, code])).toEqual([
			[401, "INVALID_SESSION"],
			[400, "INVALID_CHAT_ID"],
			[404, "ROUTE_NOT_FOUND"],
			[405, "METHOD_NOT_ALLOWED"],
		]);
	});

	it("says of a report how many runs it had, how many were new in anything, and who wrote them", async () => {
		const { chat } = await registeredChat();
		const run = uuid();
		const put = (body: unknown, changed = {}) =>
			requestWith({ ...bound, ...changed }, `${runsPath(chat)}/${run}`, recording("PUT", body));
		await put(report());
		await put(report());
		await put(report({ workflowId: uuid() }));
		await put(report({ workflowName: "Search" }), { HUB: undefined });
		expect(measured("request")).toMatchObject([
			{ writer: "hub", runs: 1, written: 1, together: 1, status: 201 },
			{ writer: "hub", runs: 1, together: 1, status: 200 },
			{ writer: "hub", runs: 1, together: 1, status: 409, code: "RUN_CONFLICT" },
			{ writer: "door", runs: 1, written: 1, status: 200 },
		]);
		expect(measured("request").map(({ written }) => written)).toEqual([1, undefined, undefined, 1]);
	});

	it("says of reports that were committed together how many there were", async () => {
		const { chat } = await registeredChat();
		const put = () => requestWith(bound, `${runsPath(chat)}/${uuid()}`, recording("PUT", report()));
		await Promise.all(Array.from({ length: 12 }, put));
		expect(Math.max(...measured("request").map(({ together }) => Number(together)))).toBeGreaterThan(1);
		for (const { runs, written } of measured("request")) expect([runs, written]).toEqual([1, 1]);
	});

	it("says of a stream why it ended, how many events it told, and how long they took from their report", async () => {
		const owned = await registeredChat();
		const run = uuid();
		await putRun(owned.chat, run, report({ status: "running", completedAt: null }));
		const stream = await open(owned, { path: `/${run}`, bindings: bound });
		await stream.next();
		const { calls: _, DB } = watchBindings({ onD1: () => scheduler.wait(40) });
		await bindHub(owned.chat, { DB });
		await putRun(owned.chat, run, report());
		await stream.next();
		await stream.next();
		await eventually(() => expect(measured("stream")).toHaveLength(1));
		expect(measured("request")).toMatchObject([
			{ status: 200, route: "/api/chats/:chatId/workflow-runs/:runId/stream" },
		]);
		expect(measured("stream")).toMatchObject([{ level: "info", ended: "run_ended", events: 3 }]);
		const [{ delayMilliseconds, slowestMilliseconds } = {}] = measured("stream");
		expect(Number(delayMilliseconds)).toBeGreaterThan(30);
		expect(slowestMilliseconds).toBe(delayMilliseconds);
	});

	it("is written for what fails behind a request too", async () => {
		await requestWith({ ...bound, BETTER_AUTH_SECRET: "short" }, runsPath(uuid()));
		const { chat } = await registeredChat();
		const HUB = hubsThat({ record: () => Promise.reject(new Error("no hub here")) });
		await requestWith({ METRICS, HUB }, `${runsPath(chat)}/${uuid()}`, recording("PUT", report()));
		expect(measured("error")).toMatchObject([{ level: "error", code: "INTERNAL_ERROR" }]);
		expect(measured("hub")).toMatchObject([{ level: "error", doing: "ask" }]);
	});

	it("is written by the cron", async () => {
		const context = createExecutionContext();
		const controller = createScheduledController({ scheduledTime: new Date(), cron: "17 * * * *" });
		await worker.scheduled(controller, { ...env, METRICS, RETENTION_DAYS: "36500" }, context);
		await waitOnExecutionContext(context);
		expect(measured("retention")).toMatchObject([{ level: "info" }]);
	});
});

describe("metrics never stand in the way", () => {
	it("where nothing is bound", async () => {
		expect((await request("/api/health")).status).toBe(200);
		expect(points).toEqual([]);
	});

	it("where a point cannot be written: the log says so once in an isolate", async () => {
		const broken: AnalyticsEngineDataset = {
			writeDataPoint() {
				throw new Error("too many points");
			},
		};
		const printed = vi.spyOn(console, "error").mockImplementation(() => {});
		const context = createExecutionContext();
		const isolate = { ...env, METRICS: broken };
		for (const path of ["/api/health", "/api/no-route", "/api/health"])
			await app.fetch(new Request(`http://edge-runs.test${path}`), isolate, context);
		await waitOnExecutionContext(context);
		const lines = printed.mock.calls.map(([line]) => JSON.parse(line));
		printed.mockRestore();
		expect(lines).toEqual([
			{
				level: "error",
				requestId: expect.any(String),
				event: "metrics",
				error: expect.stringContaining("too many points"),
			},
		]);
		expect((await requestWith({ METRICS: broken }, "/api/health")).status).toBe(200);
	});
});

it("nothing that a caller makes up gets into a data point", async () => {
	const made = "made-up-by-a-caller";
	const { chat } = await registeredChat();
	for (const path of [
		`/${made}`,
		`/api/${made}`,
		`/api/chats/${made}/workflow-runs`,
		`/chats/${made}`,
		`/api/health?${made}`,
	]) {
		for (const method of ["GET", "PUT", "OPTIONS"]) {
			await requestWith(bound, path, { method, headers: { "x-request-id": made, "user-agent": made, cookie: made } });
		}
	}
	await requestWith(
		bound,
		`${runsPath(chat)}/${uuid()}`,
		recording("PUT", report({ workflowName: made, [made]: made })),
	);
	const values = new Set(points.flatMap(({ blobs = [], indexes = [] }) => [...indexes, ...blobs].map(String)));
	expect([...values].filter((value) => value.includes(made) || value.includes(chat))).toEqual([]);
	const routes = points.map(({ blobs = [] }) => String(blobs[BLOBS.indexOf("route")])).filter(Boolean);
	expect([...new Set(routes)].sort()).toEqual(
		[
			"/*",
			"/api/*",
			"/api/chats/:chatId/workflow-runs",
			"/api/chats/:chatId/workflow-runs/:runId",
			"/api/health",
			"/chats/:chatId",
		].sort(),
	);
	const codes = points.map(({ blobs = [] }) => String(blobs[BLOBS.indexOf("code")])).filter(Boolean);
	expect(codes.filter((code) => !(code in ERRORS))).toEqual([]);
	// A method is one of those that the runtime knows.
	expect(() => new Request("http://edge-runs.test/", { method: made })).toThrow();
});
