import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { readText } from "./dev-server.ts";
import { fencedBlocks } from "./documents.ts";
import { runScript } from "./scripts.ts";

const QUERIES = fencedBlocks(readText("docs/metrics.md").split("## Alerts")[1] ?? "", "sql");

/** What was asked, and by which token; and the rows that a query with a certain text finds. */
const asked: { url: string; token: string; query: string }[] = [];
let finds = new Map<string, object[]>();
const server = createServer(async (request, response) => {
	let query = "";
	for await (const chunk of request) query += chunk;
	asked.push({ url: request.url ?? "", token: request.headers.authorization ?? "", query });
	if (request.headers.authorization !== "Bearer a-token") return void response.writeHead(403).end("Forbidden");
	const [, data = []] = [...finds].find(([text]) => query.includes(text)) ?? [];
	response.end(JSON.stringify({ meta: [], data, rows: data.length }));
});
beforeAll(() => new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve)));
afterAll(() => void server.close());
beforeEach(() => {
	asked.length = 0;
	finds = new Map();
});

const run = (args: string[] = [], env: Record<string, string> = {}) =>
	runScript("alerts.ts", args, {
		env: {
			CLOUDFLARE_API_BASE_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
			CLOUDFLARE_ACCOUNT_ID: "an-account",
			CLOUDFLARE_API_TOKEN: "a-token",
			...env,
		},
	});

describe("npm run alerts", () => {
	it("asks every alert of docs/metrics.md, and is content where none finds a row", async () => {
		const { code, output } = await run();
		expect([code, output]).toEqual([0, `${QUERIES.length} alerts asked, 0 found something.\n`]);
		expect(asked.map(({ query }) => query)).toEqual(QUERIES);
		expect(new Set(asked.map(({ url }) => url))).toEqual(new Set(["/accounts/an-account/analytics_engine/sql"]));
	});

	it("prints what is found, and exits with 1", async () => {
		finds.set("'INTERNAL_ERROR'", [{ code: "INTERNAL_ERROR", errors: 3 }]);
		const { code, output } = await run();
		expect(code).toBe(1);
		expect(output).toContain('ALERT A bug or a setting\n  {"code":"INTERNAL_ERROR","errors":3}\n');
	});

	it("asks about staging, and leaves out what it is told to", async () => {
		const { code } = await run(["--env", "staging", "--skip", "Retention", "--skip", "limiter is off"]);
		expect(code).toBe(0);
		expect(asked).toHaveLength(QUERIES.length - 2);
		expect(
			asked.filter(({ query }) => !/FROM edge_runs_staging$/m.test(query) || /FROM edge_runs$/m.test(query)),
		).toEqual([]);
	});

	it.each<[string, Record<string, string>, string]>([
		["nobody is named", { CLOUDFLARE_API_TOKEN: "" }, "CLOUDFLARE_API_TOKEN are not set"],
		["the token is refused", { CLOUDFLARE_API_TOKEN: "another" }, "did not answer: 403 Forbidden"],
		["nothing answers", { CLOUDFLARE_API_BASE_URL: "http://127.0.0.1:1" }, "did not answer: "],
	])("exits with 2 where %s: silence is not taken for health", async (_, env, message) => {
		const { code, output } = await run([], env);
		expect([code, output]).toEqual([2, expect.stringContaining(message)]);
	});
});
