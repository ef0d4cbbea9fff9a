import { isEnded } from "../protocol/state.ts";
import type { WorkflowRun } from "../protocol/types.ts";
import type { CleanReport } from "./clean-report.ts";

/** A run without a report for this time is no longer watched: its process is gone. */
const FORGOTTEN_MILLISECONDS = 24 * 3_600_000;
/** How many runs are watched at most. Beyond it, the ones that were silent for longest are not. */
const MAX_WATCHED = 10_000;

interface Active {
	/** Its last activity. */
	head: WorkflowRun;
	/** When something was reported of it, and when it last said that it is alive: milliseconds. */
	reportedAt: number;
	saidAt: number;
}

/** The runs that have not ended, so that their silence can be told from their recorder's death. Pure: `now` is passed in. */
export class ActiveRuns {
	/** By id, the longest silent first. */
	readonly #runs = new Map<string, Active>();

	reported({ head }: CleanReport, now: number): void {
		const before = this.#runs.get(head.id);
		this.#runs.delete(head.id);
		if (before && isLater(before.head, head))
			return void this.#runs.set(head.id, { ...before, reportedAt: now, saidAt: now });
		if (isEnded(head.status)) return;
		const activity = head.activity ?? before?.head.activity;
		this.#runs.set(head.id, { head: { ...head, ...(activity && { activity }) }, reportedAt: now, saidAt: now });
		if (this.#runs.size > MAX_WATCHED) this.#runs.delete(this.#runs.keys().next().value as string);
	}

	/** They are not recorded: nobody is to hear that they live, until they are reported again. */
	forget(ids: readonly string[]): void {
		for (const id of ids) this.#runs.delete(id);
	}

	/** What the service has of a run: others may have ended it, or told more of it. */
	heard(run: WorkflowRun): void {
		const active = this.#runs.get(run.id);
		if (!active || isLater(active.head, run)) return;
		// What the service only assumes for want of news is no end.
		if (isEnded(run.status) && !run.assumed) this.#runs.delete(run.id);
		else if (run.activity && run.activity.at > (active.head.activity?.at ?? "")) {
			active.head = { ...active.head, activity: run.activity };
		}
	}

	/** Those that have said nothing since: each says that it is alive, by what it said last and a new moment. */
	due(silentSince: number, now: number, at: string): WorkflowRun[] {
		const due: WorkflowRun[] = [];
		for (const [id, active] of this.#runs) {
			if (active.saidAt > silentSince) break;
			this.#runs.delete(id);
			if (now - active.reportedAt > FORGOTTEN_MILLISECONDS) continue;
			this.#runs.set(id, { ...active, saidAt: now });
			const { id: runId, chatId, workflowId, status, attempt, activity } = active.head;
			const message = activity?.message ?? (status === "pending" ? "Queued" : "Running");
			due.push({
				id: runId,
				chatId,
				workflowId,
				status,
				startedAt: null,
				completedAt: null,
				...(attempt !== undefined && { attempt }),
				activity: { ...activity, at, message },
				steps: [],
			});
		}
		return due;
	}
}

/** Whether a run is in a later attempt than the other. */
const isLater = (a: WorkflowRun, b: WorkflowRun) => (a.attempt ?? 1) > (b.attempt ?? 1);
