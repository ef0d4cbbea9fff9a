import { randomUUID } from "node:crypto";
import type { Step, WorkflowRun } from "../src/workflow-runs/schemas.ts";
import type { Age } from "./model.ts";

const STEPS = 5;
const ENDS = ["completed", "completed", "failed", "cancelled"] as const;
const at = (milliseconds: number) => new Date(milliseconds).toISOString();

/** Every state of a made-up run, from queued to its end, as an engine would report them. */
export function lifeOf(chatId: string, start = Date.now()): WorkflowRun[] {
	const run = { id: randomUUID(), chatId, workflowId: randomUUID() };
	const end = pick(ENDS);
	const states: WorkflowRun[] = [{ ...run, status: "pending", startedAt: null, completedAt: null, steps: [] }];
	const steps: Step[] = [];
	for (let i = 0; i < STEPS; i++) {
		const step = { id: `step-${i + 1}`, name: `Step "${i + 1}" \ud83d`, position: i };
		const startedAt = at(start + i * 1000);
		steps.push({ ...step, status: "running", startedAt, completedAt: null });
		states.push({ ...run, status: "running", startedAt: at(start), completedAt: null, steps: [...steps] });
		const failed = end === "failed" && i === STEPS - 1;
		steps[i] = {
			...step,
			status: failed ? "failed" : "completed",
			startedAt,
			completedAt: at(start + i * 1000 + 900),
			...(failed && { error: { message: "The source did not answer\u0000" } }),
		};
	}
	const completedAt = at(start + STEPS * 1000);
	const error = end === "failed" ? { error: { message: "A step failed" } } : {};
	states.push({ ...run, status: end, startedAt: at(start), completedAt, ...error, steps: [...steps] });
	return states;
}

/** The soak's RETENTION_DAYS. */
const KEPT_MILLISECONDS = 86_400_000;
/** For the reports of a run to arrive before it comes of age. */
const YOUNG_MILLISECONDS = 5_000;

/** A life of yesterday, which comes of age some seconds later. Each of its states tells of some moment. */
export function agedLifeOf(chatId: string): WorkflowRun[] {
	return lifeOf(chatId, Date.now() - KEPT_MILLISECONDS + YOUNG_MILLISECONDS).slice(1);
}

/** From when to when retention may delete the runs of such lives. */
export function ageOf(lives: readonly WorkflowRun[][]): Age {
	const moments = lives.flat().flatMap(({ startedAt, completedAt }) => [startedAt, completedAt]);
	const times = moments.filter((moment) => moment !== null).map((moment) => Date.parse(moment) + KEPT_MILLISECONDS);
	return { from: Math.min(...times), to: Math.max(...times) };
}

/** The states as a network delivers them: some twice, some late. */
export function scramble(states: readonly WorkflowRun[]): WorkflowRun[] {
	return states
		.flatMap((state, i) =>
			(Math.random() < 0.2 ? [state, state] : [state]).map((each) => ({ each, place: i + 2 * Math.random() })),
		)
		.sort((a, b) => a.place - b.place)
		.map(({ each }) => each);
}

export function pick<T>(from: readonly T[]): T {
	return from[Math.floor(Math.random() * from.length)] as T;
}
