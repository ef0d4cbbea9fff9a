import { afterEach, describe, expect, it, vi } from "vitest";
import { lifeOf, scramble } from "../../soak/life.ts";
import { Model } from "../../soak/model.ts";
import type { WorkflowRun } from "../../src/workflow-runs/schemas.ts";

afterEach(() => {
	vi.useRealTimers();
});

function reported(): { model: Model; states: WorkflowRun[]; end: WorkflowRun } {
	const model = new Model();
	const states = lifeOf("550e8400-e29b-41d4-a716-446655440000");
	for (const state of scramble(states)) model.report(state);
	return { model, states, end: states.at(-1) as WorkflowRun };
}

describe("npm run soak's model of a chat", () => {
	it("finds nothing wrong where all is there, whatever the order of the reports", () => {
		const { model, end } = reported();
		expect(model.differences([structuredClone(end)])).toEqual([]);
	});

	it("finds a run that is lost, one that differs, one that was never reported", () => {
		const { model, end } = reported();
		expect(model.differences([])).toEqual([`run ${end.id} is lost`]);
		const [step, ...steps] = end.steps;
		const other = { ...end, steps: [{ ...step, name: "other" } as typeof step & object, ...steps] };
		expect(model.differences([other])).toEqual([expect.stringMatching(/^run .* is {.*"other".* and not /)]);
		expect(model.differences([end, { ...end, id: "1" }])).toEqual(["run 1 was never reported"]);
	});

	it("finds a run late that was taken seconds before it was asked for, and is not there, or not as far", () => {
		vi.useFakeTimers();
		const { model, states, end } = reported();
		model.acknowledge(end);
		expect(model.late([], Date.now() + 1_000)).toEqual([]);
		const later = Date.now() + 4_000;
		expect(model.late([], later)).toEqual([`run ${end.id} is late`]);
		expect(model.late([states[0] as WorkflowRun], later)).toEqual([`run ${end.id} is late`]);
		expect(model.late([end], later)).toEqual([]);
	});
});
