import { MAX_ID } from "../protocol/limits.ts";
import { uuidFor } from "../protocol/uuid.ts";

/**
 * Ids for steps that have only names: what a step lies in, its name, and which of that name it is: `plan/search#2`.
 * The same steps in the same order get the same ids, so that a run that is tried again tells of the same steps.
 */
export class StepIds {
	readonly #occurrences = new Map<string, number>();
	readonly #taken = new Set<string>();

	next(name: string, parentId: string | undefined): string {
		const path = parentId === undefined ? name : `${parentId}/${name}`;
		for (;;) {
			const occurrence = (this.#occurrences.get(path) ?? 0) + 1;
			this.#occurrences.set(path, occurrence);
			const text = occurrence === 1 ? path : `${path}#${occurrence}`;
			const id = text.length <= MAX_ID ? text : uuidFor("step", text);
			// A step may be called "search#2", or "plan/search".
			if (this.#taken.has(id)) continue;
			this.#taken.add(id);
			return id;
		}
	}
}
