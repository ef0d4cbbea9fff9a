import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startService } from "./harness.ts";
import { runScript, startScript } from "./scripts.ts";

let service: Awaited<ReturnType<typeof startService>>;
beforeAll(async () => {
	service = await startService();
});
afterAll(() => service.server.close());

interface Step {
	id: string;
	name: string;
	position: number;
	status: string;
	startedAt: string | null;
	completedAt: string | null;
	error?: { message: string };
}

/** The seeded chat's runs, the newest last. */
async function storedRuns() {
	const { results } = await service.DB.prepare(
		"select status, started_at, completed_at, error, details, steps from workflow_runs where chat_id = '7d9f3c52-5b0e-4c5e-9a55-0f4a4a1f6c01' order by created_at",
	).all<{
		status: string;
		started_at: string | null;
		completed_at: string | null;
		error: string | null;
		details: string;
		steps: string;
	}>();
	return results.map((row) => ({ ...row, steps: JSON.parse(row.steps) as Step[] }));
}

const fast = () => ["--url", service.url, "--speed", "50"];

describe("npm run demo", () => {
	it("plays a run from the queue to its end, and says so line by line", async () => {
		let completed: string | undefined;
		// About one in four fails: this goes on until one does not.
		while (completed === undefined) {
			const { code, output } = await runScript("demo.ts", [...fast(), "--once"]);
			expect(code).toBe(0);
			if (/ completed {2}the run/.test(output)) completed = output;
		}
		const lines = completed.trim().split("\n");
		expect(lines).toHaveLength(15);
		for (const line of lines)
			expect(line).toMatch(/^\d\d:\d\d:\d\d {2}run [0-9a-f]{8} {2}(pending|running|completed|failed) +\S/);
		expect(lines[0]).toMatch(/pending +queued$/);

		const run = (await storedRuns()).at(-1);
		expect(run).toMatchObject({ status: "completed", error: null });
		const steps = run?.steps as Step[];
		expect(steps.map(({ position }) => position)).toEqual([1, 2, 3, 4, 5, 6]);
		expect(new Set(steps.map(({ status }) => status))).toEqual(new Set(["completed"]));
		// The two searches run side by side; all else comes one after the other.
		const [read, web, , documents, write] = steps as [Step, Step, Step, Step, Step];
		for (const search of [web, documents]) {
			expect(String(search.startedAt) >= String(read.completedAt)).toBe(true);
			expect(String(write.startedAt) >= String(search.completedAt)).toBe(true);
		}
		expect(String(documents.startedAt) < String(web.completedAt)).toBe(true);
		// It shows what runs and steps can say. A step that failed at first is completed.
		expect(JSON.parse(run?.details ?? "")).toMatchObject({
			output: { answer: "42" },
			metrics: { tokens: 2_370 },
			workflowName: "Answer a question",
			externalId: expect.stringMatching(/^demo-/),
			messageId: expect.stringMatching(/^msg-/),
		});
		expect(steps[2]).toMatchObject({ parentId: "search-web", output: 4 });
		expect(documents).toMatchObject({ attempt: 2, output: 7 });
		expect(documents).not.toHaveProperty("error");
	});

	it("--fail lets a step fail, and the run with it", async () => {
		const { code, output } = await runScript("demo.ts", [...fast(), "--once", "--fail"]);
		expect(code).toBe(0);
		expect(output).toMatch(/failed +Write the answer: The model did not answer/);
		const run = (await storedRuns()).at(-1);
		expect(run?.status).toBe("failed");
		expect(run?.error).toContain("did not answer");
		expect(run?.steps.map(({ status }) => status)).toEqual([
			"completed",
			"completed",
			"completed",
			"completed",
			"failed",
			"cancelled",
		]);
	});

	it("goes on until Ctrl+C, which cancels the run that is under way", async () => {
		const demo = startScript("demo.ts", ["--url", service.url, "--speed", "5"]);
		while (!/running +Read the question/.test(demo.output())) await new Promise((resolve) => setTimeout(resolve, 20));
		demo.child.kill("SIGINT");
		const { code, output } = await demo.ended;
		expect([code, /cancelled +the run/.test(output)]).toEqual([0, true]);
		const run = (await storedRuns()).at(-1);
		expect(run?.status).toBe("cancelled");
		expect(run?.steps.every(({ status, completedAt }) => status !== "running" && completedAt !== null)).toBe(true);
	});

	it.each<[string, string[], RegExp]>([
		["no service", ["--url", "http://localhost:1"], /Nothing answers at http:\/\/localhost:1\..*npm run dev/],
		["no speed", ["--speed", "fast"], /--speed takes a number/],
		["an unknown option", ["--chat", "x"], /Unknown option '--chat'/],
	])("explains itself: %s", async (_, args, message) => {
		const { code, output } = await runScript("demo.ts", args);
		expect([code, output.includes("    at ")]).toEqual([2, false]);
		expect(output).toMatch(message);
	});
});
