interface Waiting<Job, Result> {
	readonly job: Job;
	readonly weight: number;
	readonly resolve: (result: Result) => void;
	readonly reject: (error: unknown) => void;
}

export interface GroupLimits {
	/** What is committed together weighs at most this, unless one job alone weighs more. */
	readonly together: number;
	/** What waits weighs at most this; further jobs are refused. */
	readonly waiting: number;
}

/** How long a group waits for those that went with the last one: they come again as soon as they are answered. */
const DELAY_MILLISECONDS = 1;

/**
 * Commits jobs one group after the other: what arrives while a commit is under way waits, and is committed together.
 * So a store is asked once for many. A group that is smaller than the last one is given a moment to fill, as by
 * PostgreSQL's `commit_delay`; who writes alone never waits.
 */
export class GroupCommit<Job, Result> {
	readonly #commit: (jobs: readonly Job[]) => Promise<readonly Result[]>;
	readonly #limits: GroupLimits;
	#waiting: Waiting<Job, Result>[] = [];
	#weight = 0;
	#isRunning = false;
	/** How many were committed together the last time. */
	#together = 1;

	/** @param commit answers each job, in their order; if it rejects, all of them get that error */
	constructor(commit: (jobs: readonly Job[]) => Promise<readonly Result[]>, limits: GroupLimits) {
		this.#commit = commit;
		this.#limits = limits;
	}

	/** @throws {Error} if too much waits already */
	add(job: Job, weight: number): Promise<Result> {
		if (this.#waiting.length > 0 && this.#weight + weight > this.#limits.waiting) {
			return Promise.reject(new Error(`too much waits to be committed: ${this.#waiting.length} jobs`));
		}
		const { promise, resolve, reject } = Promise.withResolvers<Result>();
		this.#waiting.push({ job, weight, resolve, reject });
		this.#weight += weight;
		if (!this.#isRunning) void this.#run();
		return promise;
	}

	async #run(): Promise<void> {
		this.#isRunning = true;
		while (this.#waiting.length > 0) {
			if (this.#waiting.length < this.#together) await scheduler.wait(DELAY_MILLISECONDS);
			const group = this.#take();
			this.#together = group.length;
			try {
				const results = await this.#commit(group.map(({ job }) => job));
				for (const [index, { resolve }] of group.entries()) resolve(results[index] as Result);
			} catch (error) {
				for (const { reject } of group) reject(error);
			}
		}
		this.#isRunning = false;
	}

	#take(): Waiting<Job, Result>[] {
		let count = 0;
		let weight = 0;
		for (const each of this.#waiting) {
			if (count > 0 && weight + each.weight > this.#limits.together) break;
			weight += each.weight;
			count++;
		}
		this.#weight -= weight;
		return this.#waiting.splice(0, count);
	}
}
