import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createReadToken } from "#recorder/index.ts";
import { SECRETS } from "../access/read-tokens.ts";
import { requestWith, runsPath, signedCookie, signIn, uuid } from "../helpers.ts";
import { OPERATOR_TOKENS, recording, registeredChat, report, TOKENS } from "../recording/recorder.ts";
import { type Hooks, watchBindings } from "../watch-bindings.ts";

const printed: string[] = [];
beforeEach(() => {
	for (const method of ["log", "info", "warn", "error", "debug"] as const) {
		vi.spyOn(console, method).mockImplementation((...args) => void printed.push(args.map(String).join(" ")));
	}
	vi.spyOn(Math, "random").mockReturnValue(0);
});
afterEach(() => {
	vi.restoreAllMocks();
});

const fail = (message: string) => () => Promise.reject(new Error(message));
const FAULTS: Hooks[] = [
	{},
	{ onKv: fail("KV GET failed: 500") },
	{ onD1: fail("D1_ERROR: Network connection lost.") },
	{ afterD1: fail("D1_ERROR: D1 DB is overloaded.") },
	{ onKv: () => new Promise(() => {}), onD1: () => new Promise(() => {}) },
];

it("no line of a mixed workload, with its stores well and failing, has a cookie, token, secret, body or user in it, and no data point an id", async () => {
	const { chat, user } = await registeredChat();
	const { cookie, token } = await signIn(user);
	printed.length = 0;
	const requestIds = new Set<unknown>([undefined]);
	const points: AnalyticsEngineDataPoint[] = [];
	const METRICS: AnalyticsEngineDataset = { writeDataPoint: (point) => void points.push(point ?? {}) };
	const forged = await signedCookie(token, { secret: "a secret that somebody else has thought out" });
	const guess = `${TOKENS[0].slice(0, -1)}!`;
	const readToken = await createReadToken({ secret: SECRETS[0], userId: user });
	const badToken = await createReadToken({ secret: `${SECRETS[0]}!`, userId: user });
	const private_ = "what a step is called is nobody's business";
	const body = report({ steps: [{ id: "a", name: private_, status: "pending" }] });
	const reads = [
		runsPath(chat),
		`${runsPath(chat)}?limit=1&token=${token}`,
		`${runsPath(chat)}/${uuid()}`,
		`/chats/${chat}`,
	];
	for (const hooks of FAULTS) {
		const { calls: _, ...stores } = watchBindings(hooks);
		const bindings = { ...stores, METRICS, STORE_TIMEOUT_SECONDS: 0.1, FRESH_SECONDS: 0, STALE_IF_ERROR_SECONDS: 0 };
		const send = async (path: string, init: RequestInit) => {
			const { headers, body } = await requestWith(bindings, path, init);
			requestIds.add(headers.get("x-request-id"));
			await body?.cancel();
		};
		for (const path of reads) {
			for (const sent of [cookie, forged])
				await send(path, { headers: { cookie: sent, authorization: `Token ${token}` } });
		}
		for (const sent of [readToken, badToken])
			await send(runsPath(chat), { headers: { authorization: `Bearer ${sent}` } });
		await send(`${runsPath(chat)}/${uuid()}`, recording("PUT", body));
		await send(runsPath(chat), recording("PATCH", { workflowRuns: [{ id: uuid(), ...body }] }));
		await send(`/api/chats/${uuid()}`, recording("PUT", { userId: user }));
		await send(`/api/chats/${uuid()}`, recording("PUT", { userId: user }, { authorization: `Bearer ${guess}` }));
		await send(`${runsPath(chat)}/${uuid()}`, recording("PUT", `{"token":"${token}"`));
		for (const [method, path] of [
			["GET", `/api/users/${user}/export`],
			["DELETE", `/api/users/${uuid()}`],
			["DELETE", `/api/chats/${uuid()}?erase=true`],
		] as const)
			await send(path, { method, headers: { authorization: `Bearer ${OPERATOR_TOKENS[0]}` } });
		await send("/api/health", {});
		for (const path of [`chats/${chat}`, `workflow-runs/${uuid()}`, `users/${user}`, "health"])
			await send(`/api/admin/${path}`, { headers: { authorization: `Bearer ${OPERATOR_TOKENS[0]}` } });
	}

	// A stream of an earlier test may end, and say so, meanwhile.
	const lines = printed.filter((line) => requestIds.has(JSON.parse(line).requestId));
	const log = lines.join("\n");
	expect(lines.filter((line) => line.includes('"event":"request"'))).toHaveLength(FAULTS.length * 23);
	expect(lines.filter((line) => line.includes('"level":"error"')).length).toBeGreaterThan(20);
	const signature = decodeURIComponent(cookie).split(".").pop() as string;
	const secrets = [
		token,
		signature,
		encodeURIComponent(signature),
		forged,
		guess,
		user,
		private_,
		env.BETTER_AUTH_SECRET,
		...[readToken, badToken].flatMap((sent) => [sent, ...sent.split(".").slice(1)]),
		...SECRETS,
		...OPERATOR_TOKENS,
	];
	expect([...secrets, ...TOKENS].filter((secret) => log.includes(secret))).toEqual([]);
	expect(points).toHaveLength(lines.length);
	const measured = JSON.stringify(points.map(({ indexes = [], blobs = [] }) => [indexes, blobs.slice(0, -1)]));
	expect([...secrets, ...TOKENS, chat].filter((each) => measured.includes(each))).toEqual([]);
	expect(measured).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}-|[0-9a-f]{16}/);
});
