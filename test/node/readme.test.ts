import { describe, expect, it } from "vitest";
import { readExample } from "../fixtures/contract.ts";
import { readText } from "./dev-server.ts";
import { fencedBlocks } from "./documents.ts";

const readme = readText("README.md");

/** A door, not the house: what is longer belongs into docs/. */
const MOST_LINES = 160;

describe("the README", () => {
	it("is a page that one reads to its end", () => {
		expect(readme.split("\n").length - 1).toBeLessThanOrEqual(MOST_LINES);
	});

	it("starts with the two commands", () => {
		const [block = ""] = fencedBlocks(readme, "sh");
		expect(readme.indexOf(block)).toBeLessThan(30);
		expect(block.split("\n").map((line) => line.replace(/ +#.*/, ""))).toEqual([
			"npm ci && npm run dev",
			"npm ci && npm test",
			"",
		]);
	});

	it("shows the contract's own command and answer", () => {
		const { curl, json } = readExample(readText("test/fixtures/contract.txt"));
		expect(fencedBlocks(readme, "sh")).toContain(`${curl}\n`);
		const expected = JSON.parse(json);
		const ids = { id: expect.any(String), workflowId: expect.any(String) };
		expected.data.workflowRuns[0] = { ...expected.data.workflowRuns[0], ...ids };
		expect(JSON.parse(fencedBlocks(readme, "json")[0] as string)).toEqual(expected);
	});
});
