import type { WorkflowRunActivity, WorkflowRunMetrics } from "#protocol/types.ts";
import type { Status, Step, WorkflowRun } from "../../../src/workflow-runs/schemas.ts";
import { isTerminal } from "./reports.ts";

/*
 * The rules of merging, said once more and in another way: not of two states, but of all the reports
 * of a run at once, whatever their order. What the service ends in is compared with this.
 */

type Progress = Pick<Step, keyof Step & keyof WorkflowRun>;

/** Of the ends of one attempt the first of these. */
const ENDS: readonly Status[] = ["completed", "failed", "cancelled"];

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
	const { decisive, ...progress } = expectedProgress(reports);
	return {
		id,
		chatId,
		workflowId,
		...progress,
		...defined({
			workflowName: longest(reports.map((each) => each.workflowName)),
			externalId: longest(reports.map((each) => each.externalId)),
			messageId: longest(reports.map((each) => each.messageId)),
			parentRunId: sorted(only(reports.map((each) => each.parentRunId))).at(-1),
			assumed: decisive.assumed,
		}),
		steps: [...byId].map(([id, all]) => expectedStep(id, all)).sort(inStepOrder),
	};
}

function expectedStep(id: string, all: readonly Step[]): Step {
	const { decisive: _, ...progress } = expectedProgress(all);
	const positions = only(all.map(({ position }) => position));
	return {
		id,
		...progress,
		...defined({
			name: longest(all.map(({ name }) => name)),
			position: positions.length > 0 ? Math.max(...positions) : undefined,
			parentId: sorted(only(all.map(({ parentId }) => parentId))).at(-1),
		}),
	};
}

function expectedProgress<T extends Progress & Pick<WorkflowRun, "assumed">>(all: readonly T[]) {
	const attempt = Math.max(...all.map(attemptOf));
	const ofAttempt = all.filter((each) => attemptOf(each) === attempt);
	const ended = ofAttempt.filter(({ status }) => isTerminal(status));
	const running = ofAttempt.filter(({ status }) => status === "running");
	const furthest = ended.length > 0 ? ended : running.length > 0 ? running : ofAttempt;
	const reported = furthest.filter(({ assumed }) => !assumed);
	const known = reported.length > 0 ? reported : furthest;
	const status = ENDS.find((end) => known.some((each) => each.status === end)) ?? (known[0] as T).status;
	const ofStatus = known.filter((each) => each.status === status);
	const ends = sorted(only(ofStatus.map((each) => each.completedAt)));
	const completedAt = ends.find((end) => end >= "2000") ?? ends[0] ?? null;
	const atOnce = ofStatus.filter((each) => each.completedAt === completedAt);
	const message = sorted(only(atOnce.map(messageOf))).at(-1);
	const alike = atOnce.filter((each) => messageOf(each) === message);
	const output = sorted(alike.map(outputOf)).at(-1);
	const decisive = alike.find((each) => outputOf(each) === output) as T;

	/** A thing had begun when it started, and when it ended otherwise than it did in the end. */
	const otherEnds = all.filter((each) => endOf(each) !== endOf(decisive)).map((each) => each.completedAt);
	const start = sorted(only([...all.map(({ startedAt }) => startedAt), ...otherEnds]))[0] ?? null;
	const attempts = only(all.map((each) => each.attempt));
	const activities = isTerminal(status) ? [] : only(furthest.map((each) => each.activity));
	const metrics = only(all.map((each) => each.metrics));
	return {
		decisive,
		status,
		startedAt: start !== null && completedAt !== null && start > completedAt ? completedAt : start,
		completedAt,
		...defined({
			error: message === undefined ? undefined : { message },
			output: decisive.output,
			attempt: attempts.length > 0 ? Math.max(...attempts) : undefined,
			activity: activities.length > 0 ? newest(activities) : undefined,
			metrics: metrics.length > 0 ? highest(metrics) : undefined,
		}),
	};
}

const attemptOf = (each: Progress) => each.attempt ?? 1;
const messageOf = ({ error }: Progress) => error && cut(error.message, 4_000);
const outputOf = ({ output }: Progress) => JSON.stringify(output) ?? "";
const endOf = (each: Progress & Pick<WorkflowRun, "assumed">) =>
	JSON.stringify([attemptOf(each), each.status, each.completedAt, each.assumed]);

function newest(all: readonly WorkflowRunActivity[]): WorkflowRunActivity {
	const at = sorted(all.map((each) => each.at)).at(-1);
	const messages = all.filter((each) => each.at === at).map((each) => cut(each.message, 4_000));
	const message = sorted(messages).at(-1) as string;
	const rest = all.filter((each) => each.at === at && cut(each.message, 4_000) === message);
	const texts = rest.map(({ waiting, progress }) => JSON.stringify({ at, message, waiting, progress }));
	return JSON.parse(sorted(texts).at(-1) as string);
}

/** Cut behind the last whole character that leaves room for the ellipsis. */
function cut(text: string, max: number): string {
	if (text.length <= max) return text;
	let kept = "";
	for (const character of text) {
		if (kept.length + character.length >= max) break;
		kept += character;
	}
	return `${kept}…`;
}

function longest(texts: readonly (string | undefined)[]): string | undefined {
	const all = only(texts).map((text) => cut(text, 200));
	const length = Math.max(...all.map((text) => text.length));
	return sorted(all.filter((text) => text.length === length)).at(-1);
}

function highest(all: readonly WorkflowRunMetrics[]): WorkflowRunMetrics {
	const names = sorted(new Set(all.flatMap(Object.keys))).slice(0, 20);
	const values = (name: string) => all.filter((each) => Object.hasOwn(each, name)).map((each) => each[name] as number);
	return Object.fromEntries(names.map((name) => [name, Math.max(...values(name))]));
}

/** Without the fields that were never recorded. */
const defined = <T extends object>(value: T) =>
	Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as Partial<T>;

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
