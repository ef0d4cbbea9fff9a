import { describe, expect, it } from "vitest";
import * as limits from "#protocol/limits.ts";
import api from "../../../docs/api.md?raw";
import agUi from "../../../docs/engines/ag-ui.md?raw";
import recording from "../../../docs/recording.md?raw";
import readme from "../../../README.md?raw";
import { openApiDocument, openApiOperations } from "../conforms.ts";

const { components } = await openApiDocument();
const operations = await openApiOperations();

/** The names that are not in the text, each as it would stand there: between backticks. */
const missing = (names: Iterable<string>, text: string) =>
	[...new Set(names)].filter((name) => !text.includes(`\`${name}\``) && !text.includes(`\`${name}=`));

describe("docs/api.md", () => {
	it("names every query parameter and header that a request may have, or docs/engines/ag-ui.md does", () => {
		const parameters = operations.flatMap(({ operation }) => operation.parameters ?? []);
		const names = parameters.filter((each) => each.in !== "path").map((each) => each.name.toLowerCase());
		expect(names).toContain("cursor");
		expect(missing(names, (api + agUi).toLowerCase())).toEqual([]);
	});

	it("names every header that a response may have", () => {
		const responses = operations.flatMap(({ operation }) => Object.values(operation.responses));
		const names = responses.flatMap(({ headers = {} }) => Object.keys(headers)).map((name) => name.toLowerCase());
		expect(names).toContain("etag");
		expect(missing(names, api.toLowerCase())).toEqual([]);
	});

	it("names every field of a run and of a step", () => {
		const schemas = ["WorkflowRun", "WorkflowRunStep", "WorkflowRunActivity"].map((name) => components.schemas[name]);
		const names = schemas.flatMap((schema) => Object.keys(schema?.properties ?? {}));
		expect(names).toContain("workflowId");
		expect(missing(names, api)).toEqual([]);
	});
});

it("the README lists no route of the API that is not there", () => {
	const listed = [...readme.matchAll(/^\| `(\w+ \/api\/\S+)` \|/gm)].map(([, route]) => route);
	const there = operations.map(({ method, path }) => `${method} ${path.replace(/\{(\w+)\}/g, ":$1")}`);
	expect(listed.length).toBeGreaterThan(8);
	expect(listed.filter((route) => ![...there, "GET /api/openapi.json"].includes(route as string))).toEqual([]);
});

it("docs/recording.md says every limit of a report", () => {
	const { MAX_LIMIT: _, ...ofReports } = limits;
	const numbers = Object.values(ofReports).map((limit) => limit.toLocaleString("en"));
	expect(numbers.length).toBeGreaterThan(8);
	expect(numbers.filter((number) => !new RegExp(`(?<![\\d,])${number}(?!,?\\d)`).test(recording))).toEqual([]);
});
