/** The results of the soak so far. */
export class Tally {
	/** Milliseconds a request, by kind. */
	readonly latencies = new Map<string, number[]>();
	/** Answers by kind and status. */
	readonly statuses = new Map<string, Map<number, number>>();
	/** Events that streams have told. */
	events = 0;
	/** Everything that must not happen. */
	readonly wrong: string[] = [];

	count(kind: string, status: number, milliseconds: number): void {
		entry(this.latencies, kind, () => []).push(milliseconds);
		const counts = entry(this.statuses, kind, () => new Map<number, number>());
		counts.set(status, (counts.get(status) ?? 0) + 1);
	}

	complain(kind: string, complaints: readonly string[]): void {
		for (const complaint of complaints) this.wrong.push(`${kind}: ${complaint}`);
	}
}

function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
	const value = map.get(key) ?? make();
	map.set(key, value);
	return value;
}
