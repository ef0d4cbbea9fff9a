import { MAX_ID, MAX_NAME } from "../protocol/limits.ts";
import { cutText } from "../protocol/text.ts";
import type { WorkflowRun, WorkflowRunStatus, WorkflowRunStep } from "../protocol/types.ts";
import { uuidFor } from "../protocol/uuid.ts";
import { type Cleaning, cleanShared, type Given } from "./clean.ts";

/** About how many bytes a run or step without texts takes, in memory and as JSON. */
const BASE_WEIGHT = 250;

export interface CleanStep {
	readonly step: WorkflowRunStep;
	/** About how many bytes it takes. */
	readonly weight: number;
}

/** A report that the service takes. */
export interface CleanReport {
	/** The run without its steps. */
	readonly head: WorkflowRun;
	readonly weight: number;
	readonly steps: readonly CleanStep[];
	/** What was left out, and why. */
	readonly leftOut: readonly string[];
}

/**
 * @param chatId UUID
 * @param now in milliseconds
 * @returns a copy; undefined if it is not a report of a run, or its status is unknown
 */
export function cleanReport(chatId: string, run: Given, now: number): CleanReport | undefined {
	const { id, workflowId, status } = run;
	if (typeof id !== "string" || typeof workflowId !== "string" || !isStatus(status)) return;
	const cleaning: Cleaning = { now, leftOut: [], weight: BASE_WEIGHT };
	const workflowName = cleanName(run["workflowName"]) || undefined;
	const externalId = cleanId(run["externalId"], "external");
	const messageId = cleanId(run["messageId"], "message");
	const parentRunId = typeof run["parentRunId"] === "string" ? uuidFor("run", run["parentRunId"]) : undefined;
	const head: WorkflowRun = {
		id: uuidFor("run", id),
		chatId,
		workflowId: uuidFor("workflow", workflowId),
		...cleanShared(run, status, "", cleaning),
		...(workflowName !== undefined && { workflowName }),
		...(externalId !== undefined && { externalId }),
		...(messageId !== undefined && { messageId }),
		...(parentRunId !== undefined && { parentRunId }),
		...(run["assumed"] === true && { assumed: true }),
		steps: [],
	};
	const { weight, leftOut } = cleaning;
	const given = Array.isArray(run["steps"]) ? (run["steps"] as Given[]) : [];
	const steps = given.flatMap((step, index) => {
		cleaning.weight = BASE_WEIGHT;
		const clean = cleanStep(step, `steps.${index}`, cleaning);
		return clean ? [{ step: clean, weight: cleaning.weight }] : [];
	});
	return { head, weight, steps, leftOut };
}

function cleanStep(given: Given, path: string, cleaning: Cleaning): WorkflowRunStep | undefined {
	const id = cleanId(given["id"], "step");
	const { status, position } = given;
	if (id === undefined || !isStatus(status)) {
		cleaning.leftOut.push(`${path}: has no id, or no known status`);
		return undefined;
	}
	const name = cleanName(given["name"]);
	const parentId = cleanId(given["parentId"], "step");
	cleaning.weight += id.length + (name?.length ?? 0) + (parentId?.length ?? 0);
	return {
		id,
		...cleanShared(given, status, `${path}.`, cleaning),
		...(name !== undefined && { name }),
		...(typeof position === "number" && Number.isSafeInteger(position) && position >= 0 && { position }),
		...(parentId !== undefined && { parentId }),
	};
}

const STATUSES = new Set<unknown>(["pending", "running", "completed", "failed", "cancelled"]);
const isStatus = (given: unknown): given is WorkflowRunStatus => STATUSES.has(given);

/** A name for people: cut if it is too long. */
function cleanName(given: unknown): string | undefined {
	return typeof given === "string" ? cutText(given, MAX_NAME) : undefined;
}

/** An id is not cut, since another could be cut to the same: a longer one becomes its UUID. */
function cleanId(given: unknown, engine: string): string | undefined {
	if (typeof given !== "string" || given === "") return undefined;
	return given.length <= MAX_ID ? given : uuidFor(engine, given);
}
