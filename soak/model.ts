import { isDeepStrictEqual } from "node:util";
import { mergeRuns } from "#protocol/merge.ts";
import type { WorkflowRun } from "../src/workflow-runs/schemas.ts";

/** The fresh window is a second. The rest is for the answer to arrive, and for timers under load. */
const LATE_MILLISECONDS = 3_000;

const PROGRESS = { pending: 0, running: 1, completed: 2, failed: 2, cancelled: 2 };

/** How far a run is. Runs never step back: the soak's engine has one attempt each. */
export const stageOf = ({ status }: Pick<WorkflowRun, "status">): number => PROGRESS[status];

/** The runs that a chat must have: all reports, merged by the same rules, but without a database. */
export class Model {
	readonly #runs = new Map<string, WorkflowRun>();
	readonly #acknowledged = new Map<string, { at: number; stage: number }>();

	get size(): number {
		return this.#runs.size;
	}

	/** Call it with each report before it is sent. From then on the report may show. */
	report(run: WorkflowRun): void {
		this.#runs.set(run.id, mergeRuns(this.#runs.get(run.id) ?? run, run));
	}

	/** Call it when the service has accepted the report. Soon after, the report must show. */
	acknowledge({ id, status }: WorkflowRun): void {
		const before = this.#acknowledged.get(id);
		if (!before || PROGRESS[status] > before.stage)
			this.#acknowledged.set(id, { at: Date.now(), stage: PROGRESS[status] });
	}

	/**
	 * The faults of a history that was requested at this moment, while reports still come: runs that were accepted
	 * long before and are missing, or not as far.
	 */
	late(runs: readonly WorkflowRun[], askedAt: number): string[] {
		const served = new Map(runs.map((run) => [run.id, PROGRESS[run.status]]));
		return [...this.#acknowledged]
			.filter(([id, { at, stage }]) => at < askedAt - LATE_MILLISECONDS && (served.get(id) ?? -1) < stage)
			.map(([id]) => `run ${id} is late`);
	}

	/** The faults of a history after all reports: every difference. */
	differences(runs: readonly WorkflowRun[]): string[] {
		const served = new Map(runs.map((run) => [run.id, run]));
		const wrong = [...this.#runs].flatMap(([id, run]) => {
			const found = served.get(id);
			if (!found) return [`run ${id} is lost`];
			return isDeepStrictEqual(found, run)
				? []
				: [`run ${id} is ${JSON.stringify(found)} and not ${JSON.stringify(run)}`];
		});
		const invented = runs.filter(({ id }) => !this.#runs.has(id)).map(({ id }) => `run ${id} was never reported`);
		return [...wrong, ...invented];
	}
}
