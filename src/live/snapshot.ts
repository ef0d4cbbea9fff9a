import { textBytes } from "#protocol/text.ts";
import { isSame, type State, stateId, stateOf } from "../db/change.ts";
import type { History } from "../workflow-runs/history.ts";
import { listBytes, splitList } from "../workflow-runs/json.ts";
import type { ServerEvent } from "./event-writer.ts";

/** An event's data in bytes, at the most. A snapshot with more goes on as `run` events. */
const MAX_EVENT_BYTES = 4_000_000;

/** All runs of a chat. */
function snapshotEvents(history: History): ServerEvent[] {
	const state = stateOf(history);
	if (history.body.byteLength <= MAX_EVENT_BYTES) {
		return [{ event: "snapshot", data: listBytes(history.body), id: stateId(state) }];
	}
	const runs = splitList(history.body);
	let bytes = 0;
	const end = runs.findIndex((run) => {
		bytes += textBytes(run) + 1;
		return bytes > MAX_EVENT_BYTES;
	});
	const count = end === -1 ? runs.length : end;
	const data = `{"workflowRuns":[${runs.slice(0, count).join()}]}`;
	return [{ event: "snapshot", data }, ...runEvents(runs.slice(count), state)];
}

/** Only the last has an id: a client that loses the line between them is not up to date. */
export function runEvents(runs: readonly string[], state: State): ServerEvent[] {
	return runs.map((data, index) => ({
		event: "run",
		data,
		...(index === runs.length - 1 && { id: stateId(state) }),
	}));
}

type Snapshot = readonly ServerEvent[];

/*
 * Many streams of a chat send the same snapshot: those that are opened together, all of them after a change that cannot be
 * told, and those whose clients are slow to take it. Those of one isolate share it while any of them holds it: hundreds of
 * copies would be more than an isolate may have.
 */
const shared = new Map<string, { readonly state: State; readonly snapshot: WeakRef<Snapshot> }>();
const MAX_SHARED = 1_000;

/** All runs of a chat, shared. */
export function snapshotOf(chatId: string, history: History): Snapshot {
	const state = stateOf(history);
	const known = sharedSnapshot(chatId, state);
	if (known) return known;
	const snapshot = snapshotEvents(history);
	if (shared.size >= MAX_SHARED) shared.clear();
	shared.set(chatId, { state, snapshot: new WeakRef(snapshot) });
	return snapshot;
}

/** The snapshot of a state of a chat, if another stream has it just now. Whether its reader may see it is the caller's to say. */
export function sharedSnapshot(chatId: string, state: State): Snapshot | undefined {
	const known = shared.get(chatId);
	return known && isSame(known.state, state) ? known.snapshot.deref() : undefined;
}
