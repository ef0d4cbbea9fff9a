import { describe, expect, it } from "vitest";
import { silenceOf } from "#timeline/silence.ts";
import { visible } from "#timeline/spans.ts";
import { MAX_DEPTH, placeSteps } from "#timeline/step-tree.ts";
import type { Step, WorkflowRun } from "../../../src/workflow-runs/schemas.ts";

const step = (id: string, more: Partial<Step> = {}): Step => ({
	id,
	status: "completed",
	startedAt: null,
	completedAt: "2024-02-04T12:00:00.000Z",
	...more,
});
const tree = (steps: Step[]) => placeSteps(steps).map(({ step: { id }, depth }) => `${depth} ${id}`);

describe("steps are placed", () => {
	it("in their order, each behind the one that it is part of", () => {
		const steps = [step("a"), step("b"), step("a1", { parentId: "a" }), step("a2", { parentId: "a" })];
		expect(tree([...steps, step("a1x", { parentId: "a1" })])).toEqual(["0 a", "1 a1", "2 a1x", "1 a2", "0 b"]);
	});

	it("by themselves where the parent is not there, or is part of them", () => {
		expect(tree([step("a", { parentId: "gone" })])).toEqual(["0 a"]);
		const circle = [step("a", { parentId: "b" }), step("b", { parentId: "a" }), step("c", { parentId: "c" })];
		expect(tree(circle)).toEqual(["0 a", "1 b", "0 c"]);
	});

	it("no deeper than can be shown, however deep they are", () => {
		const chain = Array.from({ length: 1_000 }, (_, i) => step(`${i}`, i > 0 ? { parentId: `${i - 1}` } : {}));
		const placed = placeSteps(chain);
		expect(placed.map((each) => each.step.id)).toEqual(chain.map(({ id }) => id));
		expect(Math.max(...placed.map(({ depth }) => depth))).toBe(MAX_DEPTH);
	});
});

describe("a bar that would be too short to be seen", () => {
	it.each([
		[{ start: 0, length: 0 }, 0],
		[{ start: 0.5, length: 0.0001 }, 0.5],
		[{ start: 1, length: 0 }, 0.995],
	])("is widened, and stays on its axis: %o", (bar, start) => {
		expect(visible(bar)).toEqual({ start, length: 0.005 });
	});

	it("and no other", () => {
		expect(visible({ start: 0.25, length: 0.5 })).toEqual({ start: 0.25, length: 0.5 });
	});
});

describe("a run's silence", () => {
	const NOW = Date.parse("2024-02-04T15:00:00.000Z");
	const run = (more: Partial<WorkflowRun> = {}): WorkflowRun => ({
		id: "run",
		chatId: "chat",
		workflowId: "workflow",
		status: "running",
		startedAt: "2024-02-04T12:00:00.000Z",
		completedAt: null,
		steps: [],
		...more,
	});
	const at = "2024-02-04T14:30:00.000Z";

	it.each<[string, Partial<WorkflowRun>, number | null]>([
		["since its start", {}, 3 * 3_600_000],
		["since a step's end", { steps: [step("a", { completedAt: "2024-02-04T13:00:00.000Z" })] }, 2 * 3_600_000],
		["not where it said something lately", { activity: { at, message: "…" } }, null],
		["nor where a step did", { steps: [step("a", { status: "running", activity: { at, message: "…" } })] }, null],
		["nor once it has ended", { status: "failed", completedAt: "2024-02-04T12:00:00.000Z" }, null],
		["nor before it has started", { startedAt: null }, null],
	])("is counted %s", (_, more, silence) => {
		expect(silenceOf(run(more), NOW)).toBe(silence);
	});
});
