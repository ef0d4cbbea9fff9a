import { mergeRuns } from "#protocol/merge.ts";
import { ServiceError } from "../errors.ts";
import { fitSteps } from "./fit-steps.ts";
import type { WorkflowRunReports } from "./report.ts";
import type { WorkflowRun } from "./schemas.ts";

/*
 * Merges reports into stored runs. Pure: no I/O, no clock.
 */

/** A run as it is stored after a report. */
export interface RecordedRun {
	readonly run: WorkflowRun;
	/** Whether the report created it. */
	readonly created: boolean;
	/** For people: the parts that were left out so that it fits its row. */
	readonly warning?: string | undefined;
}

/** A run that is stored in D1. */
export interface StoredRun {
	readonly run: WorkflowRun;
	/** The chat's revision with which it last changed. */
	readonly revision: string;
}

/**
 * The runs that a report of a chat names, each once.
 * @throws {ServiceError} INVALID_BODY if it names another chat, or RUN_CONFLICT if it contradicts itself
 */
export function reportedRuns(chatId: string, reports: WorkflowRunReports["workflowRuns"]): WorkflowRun[] {
	const byId = new Map<string, WorkflowRun>();
	for (const [index, report] of reports.entries()) {
		if (report.chatId !== undefined && report.chatId !== chatId) {
			throw new ServiceError("INVALID_BODY", `workflowRuns.${index}.chatId: is not the one in the path`);
		}
		const run = { ...report, chatId };
		byId.set(run.id, merge(byId.get(run.id) ?? run, run).run);
	}
	return [...byId.values()];
}

/** The runs to write, and the answer to each report. */
export interface Merged {
	/** For each report its runs, or the reason why it is refused. Then nothing of it is in `changed`. */
	readonly results: readonly (RecordedRun[] | ServiceError)[];
	/** The runs that are new, or differ from the stored ones. */
	readonly changed: readonly WorkflowRun[];
}

/**
 * Merges reports into the stored runs, one after the other. A report that is refused leaves the others as they are.
 * @param stored the stored ones of the runs that the reports name
 * @param reports each as `reportedRuns` gives it
 */
export function mergeReports(
	stored: ReadonlyMap<string, StoredRun>,
	reports: readonly (readonly WorkflowRun[])[],
): Merged {
	const now = new Map<string, Merging>();
	const results = reports.map((report) => {
		try {
			const recorded = report.map((run) => {
				const before = now.get(run.id)?.run ?? stored.get(run.id)?.run;
				return { ...(before ? merge(before, run) : { run }), created: !before };
			});
			for (const { run, warning } of recorded) now.set(run.id, { run, warning });
			return recorded;
		} catch (error) {
			if (error instanceof ServiceError) return error;
			throw error;
		}
	});
	// Each is answered with the run as it will be stored, with the other reports merged in.
	const latest = ({ created, ...merged }: RecordedRun) => ({ ...(now.get(merged.run.id) ?? merged), created });
	return {
		results: results.map((result) => (result instanceof ServiceError ? result : result.map(latest))),
		changed: [...now.values()].map(({ run }) => run).filter((run) => differs(stored.get(run.id)?.run, run)),
	};
}

/** Compared after a merge, not as text, since another version may have written the row in another form. */
function differs(before: WorkflowRun | undefined, run: WorkflowRun): boolean {
	return !before || JSON.stringify(mergeRuns(before, before)) !== JSON.stringify(run);
}

interface Merging {
	readonly run: WorkflowRun;
	/** The parts that were left out so that the run fits its row. */
	readonly warning?: string | undefined;
}

function merge(a: WorkflowRun, b: WorkflowRun): Merging {
	const conflict = (message: string) => new ServiceError("RUN_CONFLICT", `Workflow run ${a.id}: ${message}`);
	if (a.chatId !== b.chatId) throw conflict("the id is in use under another chat");
	if (a.workflowId !== b.workflowId) throw conflict("it was reported with another workflowId");
	const run = mergeRuns(a, b);
	const { steps, warning } = fitSteps(run.steps);
	if (warning === undefined) return { run };
	// Merged with itself, so that its keys are in their order again.
	const fitted = { ...run, steps };
	return { run: mergeRuns(fitted, fitted), warning };
}
