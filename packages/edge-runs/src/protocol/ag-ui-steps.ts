import { type Fields, optionalText, text, timestamp } from "./ag-ui-fields.ts";
import { RunState, type StepDetails, stepId, toTimestamp } from "./run-state.ts";
import type { WorkflowRunStepReport as Step } from "./types.ts";

/*
 * Which step an AG-UI event means. Steps have no ids there: theirs are made of name and occurrence. Pure.
 */

export class AgUiRun extends RunState {
	readonly #openSteps = new Map<string | undefined, Set<string>>();

	/** The steps of STEP_STARTED that are open, by what they are part of. */
	openSteps(parentId: string | undefined): Set<string> {
		const known = this.#openSteps.get(parentId) ?? new Set();
		this.#openSteps.set(parentId, known);
		return known;
	}
}

const STEP = "step:";
const scopedName = (scope: string | undefined, name: string) => (scope === undefined ? name : `${scope}/${name}`);
const idOfStep = (scoped: string, count: number) => stepId(`${STEP}${scoped}-${count}`);
export const isStep = (id: string) => id.startsWith(STEP);
/** The name in a step's id, which `occur` counts; null: no STEP_STARTED made it. */
export const nameOfStep = (id: string) => (isStep(id) ? id.slice(STEP.length).replace(/-\d+$/, "") : null);

/**
 * Which occurrence of its name a STEP_STARTED is. One that is still open is the same one, since AG-UI allows no two at a
 * time. In a part that goes on with a recorded run, so is one that started at the event's very moment, and the last one
 * of a run that has ended: the part is told again.
 */
export function startedOccurrence(run: AgUiRun, event: Fields, at: number): string {
	const key = scopedName(subagentOf(event), text(event, "stepName"));
	const count = run.occurrences(key);
	const last = count > 0 ? run.step(idOfStep(key, count)) : undefined;
	if (last && (last.status === "running" || run.ended)) return last.id;
	const startedAt = timestamp(event) === undefined ? undefined : toTimestamp(at);
	const again = startedAt && lastRestored(run, key, (step) => step.startedAt === startedAt);
	return again ?? idOfStep(key, run.occur(key));
}

/**
 * Which occurrence of its name a STEP_FINISHED is: the last one. In a part that goes on with a recorded run, it is the
 * one that ended at the event's very moment, or the last one that had begun by then: the part is told again.
 */
export function finishedOccurrence(run: AgUiRun, event: Fields, at: number): string {
	const key = scopedName(subagentOf(event), text(event, "stepName"));
	const count = run.occurrences(key) || run.occur(key);
	const last = idOfStep(key, count);
	if (timestamp(event) === undefined) return last;
	const moment = toTimestamp(at);
	const ended = lastRestored(run, key, (step) => step.completedAt === moment);
	if (ended !== undefined || count > run.restored(key).length) return ended ?? last;
	return lastRestored(run, key, (step) => (step.startedAt ?? "") <= moment) ?? idOfStep(key, 1);
}

/** The last of a name's recorded steps of which something holds, if it has occurred by now. */
function lastRestored(run: AgUiRun, key: string, holds: (step: Step) => boolean): string | undefined {
	const ids = run.restored(key);
	for (let place = Math.min(ids.length, run.occurrences(key)) - 1; place >= 0; place--) {
		const step = run.step(ids[place] as string);
		if (step && holds(step)) return step.id;
	}
	return undefined;
}

export const subagentOf = (event: Fields) => optionalText(event, "subagentRunId");
export const parent = (subagent: string | undefined): Pick<StepDetails, "parentId"> =>
	subagent === undefined ? {} : { parentId: stepId(`subagent:${subagent}`) };
