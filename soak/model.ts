import { isDeepStrictEqual } from "node:util";
import { mergeRuns } from "#protocol/merge.ts";
import type { WorkflowRun } from "../src/workflow-runs/schemas.ts";

/** Freshness is a second; the rest is for the answer's own time, and for timers under load. */
const LATE_MILLISECONDS = 3_000;

const STAGE = { pending: 0, running: 1, completed: 2, failed: 2, cancelled: 2 };

/** What a chat must hold: all that was reported of it, merged by the same rules, but without a database. */
export class Model {
	readonly #runs = new Map<string, WorkflowRun>();
	readonly #acknowledged = new Map<string, { at: number; stage: number }>();

	get size(): number {
		return this.#runs.size;
	}

	/** To be called with each report before it is sent: from then on it may show. */
	report(run: WorkflowRun): void {
		this.#runs.set(run.id, mergeRuns(this.#runs.get(run.id) ?? run, run));
	}

	/** To be called when the service has taken it: soon after it must show. */
	acknowledge({ id, status }: WorkflowRun): void {
		const before = this.#acknowledged.get(id);
		if (!before || STAGE[status] > before.stage) this.#acknowledged.set(id, { at: Date.now(), stage: STAGE[status] });
	}

	/**
	 * What is wrong with a history that was asked for at this moment, while reports still come: a run that was taken
	 * long before and is not there, or not as far.
	 */
	late(runs: readonly WorkflowRun[], askedAt: number): string[] {
		const served = new Map(runs.map((run) => [run.id, STAGE[run.status]]));
		return [...this.#acknowledged]
			.filter(([id, { at, stage }]) => at < askedAt - LATE_MILLISECONDS && (served.get(id) ?? -1) < stage)
			.map(([id]) => `run ${id} is late`);
	}

	/** What is wrong with a history once all reports are in: every difference. */
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
