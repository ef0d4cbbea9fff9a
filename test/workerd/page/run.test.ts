import { describe, expect, it } from "vitest";
import { Inside, Run } from "#timeline/run.tsx";
import type { Status, Step, WorkflowRun } from "../../../src/workflow-runs/schemas.ts";

const START = Date.parse("2024-02-04T12:00:00.000Z");
const at = (second: number) => new Date(START + second * 1000).toISOString();

const step = (id: string, status: Status, from: number, to: number, more: Partial<Step> = {}): Step => ({
	id,
	status,
	startedAt: at(from),
	completedAt: status === "running" ? null : at(to),
	...more,
});
const run = (status: Status, steps: Step[], more: Partial<WorkflowRun> = {}): WorkflowRun => ({
	id: "0a4c1de2-93c7-4c2b-8f0e-1d2c3b4a5e10",
	chatId: "550e8400-e29b-41d4-a716-446655440000",
	workflowId: "c2d29867-3d0b-4497-9191-18a9d8ee7830",
	status,
	startedAt: at(0),
	completedAt: status === "running" ? null : at(40),
	steps,
	...more,
});
const viewing = { now: START + 60_000, zone: "UTC", path: "/chats/chat" };
const html = (shown: WorkflowRun) =>
	String(Run({ run: shown, viewing, open: true, inside: Inside({ run: shown, viewing }) }));
const summary = (shown: WorkflowRun) => html(shown).split("</summary>")[0] as string;
const overview = (shown: WorkflowRun) => /<svg class="overview".*?<\/svg>/.exec(html(shown))?.[0] ?? "";

describe("a run in the list", () => {
	it("shows a failed step in the small picture, wherever among a thousand it is", () => {
		for (const [count, failing] of [
			[40, 39],
			[40, 24],
			[1_000, 998],
		] as const) {
			const steps = Array.from({ length: count }, (_, i) =>
				step(`${i}`, i === failing ? "failed" : "completed", (40 * i) / count, (40 * (i + 1)) / count),
			);
			const picture = overview(run("failed", steps));
			expect(picture.match(/class="failed"/g)).toHaveLength(1);
			expect(picture.match(/<rect/g)?.length).toBeLessThanOrEqual(25);
			// Drawn last, and so over the others.
			expect(picture.lastIndexOf('class="failed"')).toBeGreaterThan(picture.lastIndexOf('class="completed"'));
		}
	});

	it("draws a bar for a step of a second in a run of a day", () => {
		const shown = html(run("completed", [step("a", "completed", 5, 6)], { completedAt: at(86_400) }));
		expect(/<svg class="track".*?width="([\d.]+)%"/.exec(shown)?.[1]).toBe("0.5");
	});

	it("speaks of an error in its one line only if the run failed", () => {
		const failed = step("a", "failed", 0, 1, { name: "Fetch", error: { message: "no answer" } });
		const again = step("b", "completed", 1, 2, { name: "Fetch" });
		expect(summary(run("completed", [failed, again]))).not.toContain("no answer");
		expect(html(run("completed", [failed, again]))).toContain("no answer");
		expect(summary(run("failed", [failed], { error: { message: "gave up" } }))).toContain("Fetch: no answer");
		expect(summary(run("failed", [], { error: { message: "gave up" } }))).toContain("gave up");
	});

	it("says a step's full name on hover, and its id where that is another", () => {
		const name = "A very long name of a step that nobody could ever show in one line";
		expect(html(run("completed", [step("s-1", "completed", 0, 1, { name })]))).toContain(`title="${name} (s-1)"`);
		expect(html(run("completed", [step("fetch", "completed", 0, 1, { name: "fetch" })]))).toContain('title="fetch"');
	});

	it("counts no steps where there are none", () => {
		expect(summary(run("running", []))).toContain("no steps yet");
		expect(summary(run("completed", []))).toContain("no steps ·");
		expect(summary(run("running", [step("a", "completed", 0, 1)]))).toContain("1 of 1 step done");
	});

	it("shows all that was recorded, and nothing of what was not", () => {
		const bare = html(run("completed", [step("a", "completed", 0, 1)]));
		for (const part of ["attempt", "activity", "metrics", "output", "Engine", "Message", "Started by"]) {
			expect(bare).not.toContain(part);
		}
		const full = html(
			run("running", [step("a", "running", 0, 1, { attempt: 3, activity: { at: at(1), message: "reads page 4" } })], {
				workflowName: "Research <b>",
				externalId: "wrun_01",
				messageId: "message-7",
				parentRunId: "5b0c0f1e-6a39-4b61-9f0a-2f6b8f0e7d11",
				attempt: 2,
				activity: { at: at(50), message: "asks for an approval", waiting: true, progress: 0.4 },
				metrics: { tokens: 12_345, "cost in USD": 0.0625 },
				output: { answer: ["yes"] },
			}),
		);
		expect(full).toContain("Research &lt;b&gt;");
		expect(full).toContain("Attempt 2");
		expect(full).toContain("Attempt 3");
		expect(full).toContain(
			'<span class="badge">Waiting</span><span class="message" dir="auto">asks for an approval</span>',
		);
		expect(full).toMatch(/<progress value="0.4" max="1" aria-label="Progress"><\/progress> 40 %/);
		expect(full).toContain("reads page 4");
		expect(full).toContain('<dd><span dir="auto">wrun_01</span>');
		expect(full).toContain('<dd><span dir="auto">message-7</span>');
		expect(full).toContain('href="#run-5b0c0f1e-6a39-4b61-9f0a-2f6b8f0e7d11"');
		expect(full).toContain('<span dir="auto">tokens</span> <b>12,345</b>');
		expect(full).toContain('<span dir="auto">cost in USD</span> <b>0.0625</b>');
		expect(full).toContain('<details class="output"><summary>Output</summary><pre dir="auto">{\n  &quot;answer&quot;');
	});

	it("shows steps inside the step that they are part of", () => {
		const shown = html(
			run("completed", [step("agent", "completed", 0, 9), step("tool", "completed", 1, 2, { parentId: "agent" })]),
		);
		expect(shown).toContain('<li class="completed depth-1">');
	});

	it("says of a step that still ran when its run ended that nobody reported its end", () => {
		const still = step("a", "running", 10, 0);
		expect(html(run("running", [still]))).toContain('<span class="status">Running</span><svg class="track"');
		const shown = html(run("failed", [still]));
		expect(shown).toContain('<span class="status">No end reported</span>');
		expect(shown).toContain('<span class="duration">30 s</span>');
	});

	it("shows that an end is assumed", () => {
		const shown = run("failed", [], { assumed: true, error: { message: "No news for 24 h" } });
		expect(summary(shown)).toContain("No news for 24 h");
		expect(html(shown)).toContain("Nobody reported this end");
	});

	it("says for how long a running one has been silent", () => {
		const shown = run("running", [], { startedAt: new Date(START - 2 * 3_600_000).toISOString() });
		expect(summary(shown)).toContain("No news for 2 h 1 m");
	});
});
