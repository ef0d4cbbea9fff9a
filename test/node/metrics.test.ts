import { writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { unstable_readConfig } from "wrangler";
import { ERRORS } from "../../src/errors.ts";
import { readText, temporaryFolder } from "./dev-server.ts";
import { fencedBlocks } from "./documents.ts";

const document = readText("docs/metrics.md");
const [dashboard = "", alerts = ""] = document.split("## Alerts");
/** The names of a list in the source, which needs the types of Workers. */
function listed(name: string): string[] {
	const list = new RegExp(`export const ${name} = \\[([^\\]]*)\\]`).exec(readText("src/metrics.ts"))?.[1] ?? "";
	return [...list.matchAll(/"(\w+)"/g)].map(([, field]) => field as string);
}

const columns = new Map<string, string>([
	...listed("BLOBS").map((name, i) => [`blob${i + 1}`, name] as const),
	...listed("DOUBLES").map((name, i) => [`double${i + 1}`, name] as const),
]);

/** What Analytics Engine's SQL reference lists, as far as it is used. */
const FUNCTIONS = ["sum", "count", "min", "if", "quantileExactWeighted", "toStartOfInterval", "NOW"];

/** The rows of the log's table in docs/operating.md: an event, its level, what it says, and when it is an alert. */
const logTable = [...readText("docs/operating.md").matchAll(/^\| `([\w ]+)` \| (info|error) \| (.*) \| (.*?) ?\|$/gm)];

describe("docs/metrics.md", () => {
	it("has the layout of a data point as the code has it", () => {
		const rows = [...document.matchAll(/^\| `((?:blob|double)\d+)` \| `(\w+)` \|/gm)].map(([, column, name]) => [
			column,
			name,
		]);
		expect(columns.size).toBeGreaterThan(20);
		expect(rows).toEqual([...columns]);
	});

	it("gives a panel for requests, stores, cache, reports, streams and failures, and an alert for each of the log's", () => {
		expect(fencedBlocks(dashboard, "sql").length).toBeGreaterThan(6);
		expect(logTable.length).toBeGreaterThan(12);
		const asked = fencedBlocks(alerts, "sql").join("\n");
		const unasked = logTable.filter(([, event, , says, alert]) => {
			const [, code] = /^`code` `(\w+)`/.exec(says ?? "") ?? [];
			return alert && !asked.includes(`'${event}'`) && !(code && asked.includes(`'${code}'`));
		});
		expect(unasked.map(([row]) => row)).toEqual([]);
		for (const code of ["INTERNAL_ERROR", "STORE_UNAVAILABLE", "401", "429"]) expect(asked).toContain(code);
	});

	it.each(fencedBlocks(document, "sql"))("asks by the columns' names, for values that are there: %s", (query) => {
		for (const [, column, name] of query.matchAll(/\b((?:blob|double)\d+)(?:, _sample_interval)?\)? AS (\w+)/g)) {
			expect(name).toMatch(new RegExp(`^${columns.get(column as string)}(_\\w+)?$`));
		}
		for (const [column] of query.matchAll(/\b(?:blob|double)\d+\b/g)) expect([...columns.keys()]).toContain(column);
		const events = [...query.matchAll(/index1 (?:=|IN) (\([^)]*\)|'[^']*')/g)].flatMap(([, list = ""]) => [
			...list.matchAll(/'([^']+)'/g),
		]);
		expect(query.includes("index1") || query.includes("blob1 = 'error'")).toBe(true);
		const known = logTable.map(([, event]) => event);
		expect(events.filter(([, event]) => !known.includes(event))).toEqual([]);
		for (const [, column, value = ""] of query.matchAll(/\b(blob\d+) = '([^']+)'/g)) {
			const values: Record<string, readonly string[]> = {
				level: ["info", "error"],
				code: Object.keys(ERRORS),
				writer: ["hub", "door"],
			};
			expect(values[columns.get(column as string) as string]).toContain(value);
		}
		const called = [...query.matchAll(/\b(\w+)\(/g)]
			.map(([, name]) => name as string)
			.filter((name) => !["IN", "FROM"].includes(name));
		expect(called.filter((name) => !FUNCTIONS.includes(name))).toEqual([]);
		expect(query).toMatch(/timestamp > NOW\(\) - INTERVAL '\d+' (MINUTE|HOUR|DAY)/);
	});
});

it("wrangler.toml binds a dataset of its own for staging once its comment marks are gone", () => {
	const { folder, remove } = temporaryFolder();
	const file = path.join(folder, "wrangler.toml");
	try {
		writeFileSync(
			file,
			readText("wrangler.toml").replaceAll(
				/^# (?=\[\[[\w.]*analytics_engine_datasets\]\]|binding = |dataset = )/gm,
				"",
			),
		);
		const datasetsOf = (env: string) =>
			(unstable_readConfig({ config: file, env }) as unknown as { analytics_engine_datasets: object[] })
				.analytics_engine_datasets;
		expect(datasetsOf("")).toEqual([{ binding: "METRICS", dataset: "edge_runs" }]);
		expect(datasetsOf("staging")).toEqual([{ binding: "METRICS", dataset: "edge_runs_staging" }]);
	} finally {
		remove();
	}
});
