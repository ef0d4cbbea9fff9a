import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Chat } from "../../soak/chat.ts";
import { agedLifeOf, ageOf, lifeOf, scramble } from "../../soak/life.ts";
import { Model } from "../../soak/model.ts";
import type { WorkflowRun } from "../../src/workflow-runs/schemas.ts";

const CHAT = "550e8400-e29b-41d4-a716-446655440000";

beforeEach(() => {
	vi.useFakeTimers();
});
afterEach(() => {
	vi.useRealTimers();
});

function reported(): { model: Model; states: WorkflowRun[]; end: WorkflowRun } {
	const model = new Model();
	const states = lifeOf(CHAT);
	for (const state of scramble(states)) model.report(state);
	return { model, states, end: states.at(-1) as WorkflowRun };
}

describe("npm run soak's model of a chat", () => {
	it("finds nothing wrong where all is there, whatever the order of the reports", () => {
		const { model, end } = reported();
		expect(model.differences([structuredClone(end)])).toEqual([]);
	});

	it("finds a run that is lost, one that differs, one that is there twice, one that was never reported", () => {
		const { model, end } = reported();
		expect(model.differences([])).toEqual([{ fault: "lost", text: `run ${end.id} is lost` }]);
		const [step, ...steps] = end.steps;
		const other = { ...end, steps: [{ ...step, name: "other" } as typeof step & object, ...steps] };
		const differs = { fault: "wrong", text: expect.stringMatching(/^run .* is {.*"other".* and not /) };
		expect(model.differences([other])).toEqual([differs]);
		const twice = [{ fault: "doubled", text: `run ${end.id} is there twice` }];
		for (const found of [model.differences([end, end]), model.late([end, end], Date.now())])
			expect(found).toEqual(twice);
		expect(model.differences([end, { ...end, id: "1" }])).toEqual([
			{ fault: "wrong", text: "run 1 was never reported" },
		]);
	});

	it("finds a run late that was taken seconds before it was asked for, and is not there, or not as far", () => {
		const { model, states, end } = reported();
		model.acknowledge(end);
		expect(model.late([], Date.now() + 1_000)).toEqual([]);
		const later = Date.now() + 4_000;
		const late = [{ fault: "late", text: `run ${end.id} is late` }];
		expect(model.late([], later)).toEqual(late);
		expect(model.late([states[0] as WorkflowRun], later)).toEqual(late);
		expect(model.late([end], later)).toEqual([]);
	});

	it("lets a run that comes of age come and go until a round has deleted it; then it finds it resurrected", () => {
		const model = new Model();
		const life = agedLifeOf(CHAT);
		const end = life.at(-1) as WorkflowRun;
		const age = ageOf([life]);
		for (const state of life) model.report(state, age);
		model.acknowledge(end);
		expect(model.differences([])).toEqual([{ fault: "lost", text: `run ${end.id} is lost` }]);
		vi.setSystemTime(age.from + 1);
		for (const served of [[], [end]]) expect(model.differences(served)).toEqual([]);
		vi.setSystemTime(age.to + 6_000);
		expect([model.prune(Date.now() - 2_000), model.size]).toEqual([0, 1]);
		expect([model.prune(Date.now()), model.size]).toEqual([1, 0]);
		vi.advanceTimersByTime(4_000);
		const resurrected = [{ fault: "resurrected", text: `run ${end.id} was pruned` }];
		expect(model.differences([end])).toEqual(resurrected);
		expect(model.late([end], Date.now())).toEqual(resurrected);
		expect([model.differences([]), model.late([], Date.now())]).toEqual([[], []]);
	});

	it("wants a silent run given up behind a round, and as it was reported where there is news", () => {
		const { model, states, end } = { ...reported(), model: new Model() };
		const [, half] = states as [WorkflowRun, WorkflowRun];
		model.report(half);
		model.acknowledge(half);
		model.silence(half.id);
		expect(model.silent()).toEqual([half.id]);
		const completedAt = new Date().toISOString();
		const givenUp: WorkflowRun = {
			...half,
			status: "failed",
			completedAt,
			error: { message: "No news" },
			assumed: true,
		};
		for (const served of [half, givenUp]) expect(model.differences([served])).toEqual([]);
		model.giveUp([half.id]);
		expect([model.silent(), model.isGivenUp(half.id)]).toEqual([[], true]);
		vi.advanceTimersByTime(4_000);
		expect(model.differences([givenUp])).toEqual([]);
		expect(model.differences([half])).toMatchObject([{ fault: "wrong" }]);
		expect(model.late([half], Date.now())).toMatchObject([{ fault: "late" }]);
		expect(model.differences([{ ...givenUp, steps: [] }])).toMatchObject([{ fault: "wrong" }]);
		model.report(end);
		expect(model.differences([end])).toEqual([]);
		expect(model.differences([givenUp])).toMatchObject([{ fault: "wrong" }]);
	});
});

it("npm run soak lets an erased chat answer as before until its erasure is through, and then as if it had never been", () => {
	const chat = new Chat({ id: "user", cookie: "cookie" });
	expect(chat.may(Date.now(), 200, 304)).toEqual([200, 304]);
	chat.erasing = Date.now();
	expect(chat.may(Date.now(), 200)).toEqual([200, 404]);
	chat.erased = Date.now();
	vi.advanceTimersByTime(4_000);
	expect(chat.may(Date.now(), 200)).toEqual([404]);
});
