import { MAX_STEPS, NOT_STORED } from "#protocol/limits.ts";
import { mergeRuns } from "#protocol/merge.ts";
import { latestOf } from "#protocol/moments.ts";
import { ServiceError } from "../errors.ts";
import { fitSteps } from "./fit-steps.ts";
import type { WorkflowRunReports } from "./report.ts";
import type { StoredRun } from "./row.ts";
import type { WorkflowRun } from "./schemas.ts";
import { type CheckedRun, checkMoments, type ToldRun } from "./told.ts";

/*
 * Merges reports into stored runs. Pure: no I/O, no clock.
 */

/** A run as it is stored after a report. */
export interface RecordedRun {
	readonly run: WorkflowRun;
	/** Whether the report created it. */
	readonly created: boolean;
	/** For people: what was corrected, the parts that were left out so that it fits its row or has no more steps than it may, or why it is not stored. */
	readonly warning?: string | undefined;
}

/**
 * The runs that a report of a chat names, each once.
 * @param now when it was received, in milliseconds since the epoch
 * @throws {ServiceError} INVALID_BODY if it names another chat, or RUN_CONFLICT if it contradicts itself
 */
export function reportedRuns(chatId: string, reports: WorkflowRunReports["workflowRuns"], now: number): CheckedRun[] {
	const byId = new Map<string, CheckedRun>();
	for (const [index, report] of reports.entries()) {
		if (report.chatId !== undefined && report.chatId !== chatId) {
			throw new ServiceError("INVALID_BODY", `workflowRuns.${index}.chatId: is not the one in the path`);
		}
		const checked = checkMoments({ ...report, chatId }, now);
		const { warning, ...merged } = mergeTold(byId.get(report.id) ?? checked, checked);
		byId.set(report.id, { ...merged, warning: joined(byId.get(report.id)?.warning, checked.warning, warning) });
	}
	return [...byId.values()];
}

/** The runs to write, and the answer to each report. */
export interface Merged {
	/** For each report its runs, or the reason why it is refused. Then nothing of it is in `changed`. */
	readonly results: readonly (RecordedRun[] | ServiceError)[];
	/** The runs that are new, or differ from the stored ones. */
	readonly changed: readonly ToldRun[];
	/** The others, of which something was reported. */
	readonly unchanged: readonly ToldRun[];
}

/**
 * Merges reports into the stored runs, one after the other. A report that is refused leaves the others as they are.
 *
 * A run that is not stored is not begun by a report that tells of nothing since `keptSince`: whatever is as old as that has
 * been deleted, or is about to be. Otherwise a report that comes again would bring half of a deleted run back.
 * @param stored the stored ones of the runs that the reports name
 * @param reports each as `reportedRuns` gives it
 * @param keptSince see `prune.ts`; null: all runs are kept
 */
export function mergeReports(
	stored: ReadonlyMap<string, StoredRun>,
	reports: readonly (readonly CheckedRun[])[],
	keptSince: string | null,
): Merged {
	const now = new Map<string, CheckedRun>();
	const merged = reports.map((report) => {
		try {
			const runs = report.map((told) => {
				const before = now.get(told.run.id) ?? stored.get(told.run.id);
				const isPast = !before && told.toldAt !== "" && told.toldAt < (keptSince ?? "");
				const after = isPast ? null : before ? mergeTold(before, told) : { ...told, warning: undefined };
				return { told, after, created: !before && !isPast };
			});
			for (const { after } of runs) if (after) now.set(after.run.id, after);
			return runs;
		} catch (error) {
			if (error instanceof ServiceError) return error;
			throw error;
		}
	});
	const groups = Map.groupBy(now.values(), ({ run }) => differs(stored.get(run.id)?.run, run));
	const changed = groups.get(true) ?? [];
	// Each is answered with the run as it will be stored, with the other reports merged in.
	const answer = ({ told, after, created }: Merging): RecordedRun => {
		const latest = after && now.get(after.run.id);
		if (!latest) return { run: told.run, created, warning: joined(told.warning, TOO_OLD) };
		const givenUp = changed.includes(latest) ? undefined : stored.get(latest.run.id)?.givenUp;
		return { run: givenUp ?? latest.run, created, warning: joined(told.warning, latest.warning) };
	};
	return {
		results: merged.map((runs) => (runs instanceof ServiceError ? runs : runs.map(answer))),
		changed,
		unchanged: groups.get(false) ?? [],
	};
}

interface Merging {
	readonly told: CheckedRun;
	/** Null: the run is too old to be stored. */
	readonly after: CheckedRun | null;
	readonly created: boolean;
}

const TOO_OLD = `${NOT_STORED}: what it tells is older than the service keeps runs (RETENTION_DAYS)`;

const joined = (...warnings: (string | undefined)[]) => warnings.filter(Boolean).join("; ") || undefined;

/** Compared after a merge, not as text, since another version may have written the row in another form. */
function differs(before: WorkflowRun | undefined, run: WorkflowRun): boolean {
	return !before || JSON.stringify(mergeRuns(before, before)) !== JSON.stringify(run);
}

/** `warning` names the parts that were left out so that the run fits its row. */
function mergeTold({ run: a, toldAt }: ToldRun, b: ToldRun): CheckedRun {
	const conflict = (message: string) => new ServiceError("RUN_CONFLICT", `Workflow run ${a.id}: ${message}`);
	if (a.chatId !== b.run.chatId) throw conflict("the id is in use under another chat");
	if (a.workflowId !== b.run.workflowId) throw conflict("it was reported with another workflowId");
	const merged = mergeRuns(a, b.run);
	const { steps, warning } = fitSteps(merged.steps);
	// Merged with itself, so that its keys are in their order again.
	const run = warning === undefined ? merged : mergeRuns({ ...merged, steps }, { ...merged, steps });
	return { run, toldAt: latestOf([toldAt, b.toldAt]), warning: joined(tooMany(a, b.run, merged), warning) };
}

/** The merge keeps no more steps than a run may have, and does not say so. */
function tooMany(a: WorkflowRun, b: WorkflowRun, merged: WorkflowRun): string | undefined {
	if (merged.steps.length < MAX_STEPS) return;
	const all = new Set([...a.steps, ...b.steps].map(({ id }) => id)).size;
	if (all > MAX_STEPS) return `steps: ${all} steps, the first ${MAX_STEPS} by id are kept`;
}
