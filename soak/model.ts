import { isDeepStrictEqual } from "node:util";
import { mergeRuns } from "#protocol/merge.ts";
import type { WorkflowRun } from "../src/workflow-runs/schemas.ts";
import type { Complaint } from "./tally.ts";

/** The fresh window is a second. The rest is for the answer to arrive, and for timers under load. */
const LATE_MILLISECONDS = 3_000;

/** For a report that is on its way while its run comes of age: it may be stored for the next round to delete. */
const AGE_MILLISECONDS = 5_000;

const PROGRESS = { pending: 0, running: 1, completed: 2, failed: 2, cancelled: 2 };

/**
 * How far a run is. Runs never step back: the soak's engine has one attempt each. An end that was assumed counts as none,
 * since a run that was given up goes on where there is news.
 */
export const stageOf = ({ status, assumed }: Pick<WorkflowRun, "status" | "assumed">): number =>
	assumed ? PROGRESS.running : PROGRESS[status];

/** From when to when retention may delete a run, in milliseconds since the epoch. */
export interface Age {
	/** The run's first moment comes of age. */
	readonly from: number;
	/** Its last moment does. */
	readonly to: number;
}

interface Known {
	/** All reports of it, merged. */
	run: WorkflowRun;
	accepted: { readonly at: number; readonly stage: number } | null;
	readonly age: Age | null;
	/** Since when it must be gone. */
	goneAt: number;
	/** Since when nothing more is reported of it; null where its engine goes on. */
	silentSince: number | null;
	/** Since when it must have been given up. */
	givenUpAt: number;
}

/** The runs that a chat must have: all reports, merged by the same rules, but without a database. */
export class Model {
	readonly #runs = new Map<string, Known>();

	/** How many runs are there, as far as it is known. */
	get size(): number {
		return [...this.#runs.values()].filter(({ goneAt }) => goneAt === Number.POSITIVE_INFINITY).length;
	}

	/** Call it with each report before it is sent. From then on the report may show. */
	report(run: WorkflowRun, age: Age | null = null): void {
		const never = Number.POSITIVE_INFINITY;
		const known = this.#runs.get(run.id) ?? {
			run,
			accepted: null,
			age,
			goneAt: never,
			silentSince: null,
			givenUpAt: never,
		};
		known.run = mergeRuns(known.run, run);
		known.silentSince = null;
		known.givenUpAt = never;
		this.#runs.set(run.id, known);
	}

	/** Call it when the service has accepted the report. Soon after, the report must show. */
	acknowledge(run: Pick<WorkflowRun, "id" | "status">): void {
		const known = this.#runs.get(run.id);
		const stage = stageOf(run);
		if (known && (!known.accepted || stage > known.accepted.stage)) known.accepted = { at: Date.now(), stage };
	}

	/** Call it when the engine of a run falls silent. */
	silence(id: string): void {
		const known = this.#runs.get(id);
		if (known) known.silentSince = Date.now();
	}

	/** The runs whose engine is silent, and that are not given up. */
	silent(): string[] {
		return [...this.#runs]
			.filter(([, { silentSince, givenUpAt }]) => silentSince !== null && givenUpAt > Date.now())
			.map(([id]) => id);
	}

	/** Call it when a round of the cron must have given them up. */
	giveUp(ids: readonly string[]): void {
		for (const id of ids) {
			const known = this.#runs.get(id);
			if (known && known.silentSince !== null) known.givenUpAt = Date.now();
		}
	}

	isGivenUp(id: string): boolean {
		return (this.#runs.get(id)?.givenUpAt ?? Number.POSITIVE_INFINITY) <= Date.now();
	}

	/** Call it behind a round of the cron, with the time that the round was for. Returns how many runs it must have deleted. */
	prune(roundAt: number): number {
		let pruned = 0;
		for (const known of this.#runs.values()) {
			if (known.goneAt < Date.now() || !known.age || known.age.to + AGE_MILLISECONDS > roundAt) continue;
			known.goneAt = Date.now();
			pruned++;
		}
		return pruned;
	}

	/**
	 * The faults of a history that was asked for at this moment, while reports still come: runs that were accepted long before
	 * and are missing, or not as far; and runs that must be gone.
	 */
	late(runs: readonly WorkflowRun[], askedAt: number, patience = LATE_MILLISECONDS): Complaint[] {
		const served = new Map(runs.map((run) => [run.id, run]));
		const before = askedAt - patience;
		const late = [...this.#runs].flatMap(([id, { accepted, age, goneAt, givenUpAt }]): Complaint[] => {
			const found = served.get(id);
			if (goneAt < before) return found ? [{ fault: "resurrected", text: `run ${id} was pruned` }] : [];
			if (age && age.from < Date.now()) return [];
			if (givenUpAt < before && !found?.assumed) return [{ fault: "late", text: `run ${id} is not given up` }];
			if (!accepted || accepted.at >= before || (found && stageOf(found) >= accepted.stage)) return [];
			return [{ fault: "late", text: `run ${id} is late` }];
		});
		return [...late, ...twiceIn(runs)];
	}

	/** The faults of a history after all reports: every difference. */
	differences(runs: readonly WorkflowRun[]): Complaint[] {
		const served = new Map(runs.map((run) => [run.id, run]));
		const wrong = [...this.#runs].flatMap(([id, known]) => differenceOf(id, served.get(id), known));
		const invented = runs
			.filter(({ id }) => !this.#runs.has(id))
			.map(({ id }): Complaint => ({ fault: "wrong", text: `run ${id} was never reported` }));
		return [...wrong, ...invented, ...twiceIn(runs)];
	}
}

function twiceIn(runs: readonly WorkflowRun[]): Complaint[] {
	const twice = [...Map.groupBy(runs, ({ id }) => id)].filter(([, same]) => same.length > 1);
	return twice.map(([id]) => ({ fault: "doubled", text: `run ${id} is there twice` }));
}

function differenceOf(id: string, found: WorkflowRun | undefined, known: Known): Complaint[] {
	const { run, age, goneAt, silentSince, givenUpAt } = known;
	const before = Date.now() - LATE_MILLISECONDS;
	if (goneAt < before) return found ? [{ fault: "resurrected", text: `run ${id} was pruned` }] : [];
	if (age && age.from < Date.now()) return [];
	if (!found) return [{ fault: "lost", text: `run ${id} is lost` }];
	const isGiven = silentSince !== null && isGivenUp(found, run);
	if (isGiven || (givenUpAt >= before && isDeepStrictEqual(found, run))) return [];
	return [{ fault: "wrong", text: `run ${id} is ${JSON.stringify(found)} and not ${JSON.stringify(run)}` }];
}

/** Whether a run is the one that was reported, but for an end that was assumed. */
function isGivenUp(found: WorkflowRun, run: WorkflowRun): boolean {
	const { status, completedAt, error, assumed } = found;
	return (
		assumed === true && status === "failed" && isDeepStrictEqual(found, { ...run, status, completedAt, error, assumed })
	);
}
