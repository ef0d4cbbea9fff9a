import { describe, expect, it } from "vitest";
import { readText } from "./dev-server.ts";
import { runScript } from "./scripts.ts";

/** The scripts that `npm run` starts. */
const commands = Object.values((JSON.parse(readText("package.json")) as { scripts: Record<string, string> }).scripts);
const scripts = commands.flatMap(
	(command) => /^node (?:--\S+ )?((?:scripts|bench|soak)\/\S+\.ts)/.exec(command)?.slice(1) ?? [],
);

it("finds the scripts", () => {
	expect(scripts).toEqual(
		expect.arrayContaining([
			"scripts/dev.ts",
			"scripts/import.ts",
			"scripts/deploy.ts",
			"scripts/assets.ts",
			"bench/bench.ts",
		]),
	);
});

describe.concurrent.each([...new Set(scripts)])("%s", (script) => {
	it("has a --help that does nothing else", async () => {
		const { code, output } = await runScript(`../${script}`, ["--help"]);
		expect([code, output]).toEqual([0, expect.stringMatching(/^[A-Z][\s\S]*\n {2}--help\s+says this/)]);
	});

	it("answers an option that it does not have with a line, not with a stack", async () => {
		const { code, output } = await runScript(`../${script}`, ["--no-such-option"]);
		expect([code, output]).toEqual([2, "Unknown option '--no-such-option'. --help says what there is.\n"]);
	});
});
