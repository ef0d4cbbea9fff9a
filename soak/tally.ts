/**
 * What must not happen. lost: what was accepted is not there. wrong: it is there otherwise, or in somebody else's hands.
 * late: it is not there yet. doubled: an event came twice, or a run is there twice. back: an event took something back. resurrected: what was erased
 * or pruned is there again. refused: an answer that was not expected.
 */
export const FAULTS = ["lost", "wrong", "late", "doubled", "back", "resurrected", "refused"] as const;
export type Fault = (typeof FAULTS)[number];

export interface Complaint {
	readonly fault: Fault;
	readonly text: string;
}

const MAX_EXAMPLES = 20;

/** The results of the soak so far. */
export class Tally {
	/** Milliseconds a request, by kind. */
	readonly latencies = new Map<string, number[]>();
	/** Answers by kind and status. */
	readonly statuses = new Map<string, Map<number, number>>();
	/** How often something was done, by its name. */
	readonly done = new Map<string, number>();
	readonly faults = new Map<Fault, number>(FAULTS.map((fault) => [fault, 0]));
	/** The first complaints. */
	readonly examples: string[] = [];
	readonly #known = new Set<string>();

	/** How many complaints there were, each once. */
	get wrong(): number {
		return [...this.faults.values()].reduce((sum, count) => sum + count, 0);
	}

	count(kind: string, status: number, milliseconds: number): void {
		entry(this.latencies, kind, () => []).push(milliseconds);
		increment(
			entry(this.statuses, kind, () => new Map<number, number>()),
			status,
		);
	}

	note(what: string, times = 1): void {
		increment(this.done, what, times);
	}

	complain(kind: string, complaints: readonly Complaint[]): void {
		for (const { fault, text } of complaints) {
			// Whoever looks again sees it again.
			if (this.#known.has(`${fault} ${text}`)) continue;
			this.#known.add(`${fault} ${text}`);
			increment(this.faults, fault);
			const example = `${new Date().toISOString()} ${fault}: ${kind}: ${text}`;
			if (this.examples.length < MAX_EXAMPLES) this.examples.push(example.slice(0, 1_000));
		}
	}
}

function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
	const value = map.get(key) ?? make();
	map.set(key, value);
	return value;
}

function increment<K>(map: Map<K, number>, key: K, by = 1): void {
	map.set(key, (map.get(key) ?? 0) + by);
}
