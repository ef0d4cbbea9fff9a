import type { Status, Step, WorkflowRun } from "../../../src/workflow-runs/schemas.ts";
import { isTerminal } from "./reports.ts";

/*
 * The rules of merging, said once more and in another way: not of two states, but of all the reports
 * of a run at once, whatever their order. What the service ends in is compared with this.
 */

type Progress = Pick<WorkflowRun, "status" | "startedAt" | "completedAt" | "error">;

/** On a tie the first of these. */
const ENDS: readonly Status[] = ["failed", "cancelled", "completed"];

/** Smallest first, by UTF-16 code units. */
const sorted = (texts: Iterable<string>) => [...texts].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
const only = <T>(values: readonly (T | null | undefined)[]) =>
	values.filter((value) => value !== null && value !== undefined);

/** The state in which all reports of one run end. */
export function expectedRun(reports: readonly WorkflowRun[]): WorkflowRun {
	const [{ id, chatId, workflowId }] = reports as [WorkflowRun];
	const byId = Map.groupBy(
		reports.flatMap(({ steps }) => steps),
		(step) => step.id,
	);
	const steps = [...byId].map(([id, all]) => expectedStep(id, all)).sort(inStepOrder);
	return { id, chatId, workflowId, ...expectedProgress(reports), steps };
}

function expectedStep(id: string, all: readonly Step[]): Step {
	const names = only(all.map(({ name }) => name));
	const longest = Math.max(...names.map(({ length }) => length));
	const name = sorted(names.filter(({ length }) => length === longest)).at(-1);
	const positions = only(all.map(({ position }) => position));
	return {
		id,
		...expectedProgress(all),
		...(name !== undefined && { name }),
		...(positions.length > 0 && { position: Math.max(...positions) }),
	};
}

function expectedProgress(all: readonly Progress[]): Progress {
	const ended = all.filter(({ status }) => isTerminal(status));
	const running = all.filter(({ status }) => status === "running");
	const furthest = ended.length > 0 ? ended : running.length > 0 ? running : all;
	const completedAt = sorted(only(furthest.map((each) => each.completedAt)))[0] ?? null;
	const decisive = furthest.filter((each) => each.completedAt === completedAt);
	const status = ENDS.find((end) => decisive.some((each) => each.status === end)) ?? (decisive[0] as Progress).status;
	const messages = only(decisive.filter((each) => each.status === status).map(({ error }) => error?.message));
	const message = sorted(messages).at(-1);
	const start = sorted(only(all.map(({ startedAt }) => startedAt)))[0] ?? null;
	return {
		status,
		startedAt: start !== null && completedAt !== null && start > completedAt ? completedAt : start,
		completedAt,
		...(message !== undefined && { error: { message } }),
	};
}

const byText = (a: string, b: string) => (a === b ? 0 : sorted([a, b])[0] === a ? -1 : 1);

function inStepOrder(a: Step, b: Step): number {
	return (
		(a.position ?? 1e9) - (b.position ?? 1e9) ||
		byText(a.startedAt ?? "9999-99", b.startedAt ?? "9999-99") ||
		a.id.localeCompare(b.id, "en", { numeric: true }) ||
		byText(a.id, b.id)
	);
}

/** The list of a chat's runs, each from its reports, in the list's order. */
export function expectedList(reports: readonly WorkflowRun[]): WorkflowRun[] {
	return [...Map.groupBy(reports, ({ id }) => id).values()]
		.map(expectedRun)
		.sort((a, b) => byText(b.startedAt ?? "9999-99", a.startedAt ?? "9999-99") || byText(b.id, a.id));
}
