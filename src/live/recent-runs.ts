import type { Memory } from "../workflow-runs/commit.ts";
import type { StoredRun } from "../workflow-runs/row.ts";

/** The runs that a hub has just written, the latest of them up to a size. Many hubs share the 128 MB of an isolate. */
export class RecentRuns implements Memory {
	expectsNew = false;
	readonly #runs = new Map<string, StoredRun & { readonly size: number }>();
	readonly #maxSize: number;
	#size = 0;

	/** @param maxSize of all together, in UTF-16 code units of their JSON */
	constructor(maxSize: number) {
		this.#maxSize = maxSize;
	}

	get(runId: string): StoredRun | undefined {
		return this.#runs.get(runId);
	}

	/** @param size of the run's JSON, in UTF-16 code units */
	set(stored: StoredRun, size: number): void {
		const { id } = stored.run;
		this.delete(id);
		this.#runs.set(id, { ...stored, size });
		this.#size += size;
		// A Map keeps the order in which its keys came.
		for (const oldest of this.#runs.keys()) {
			if (this.#size <= this.#maxSize) break;
			this.delete(oldest);
		}
	}

	delete(runId: string): void {
		const known = this.#runs.get(runId);
		if (!known) return;
		this.#runs.delete(runId);
		this.#size -= known.size;
	}

	clear(): void {
		this.#runs.clear();
		this.#size = 0;
	}
}
