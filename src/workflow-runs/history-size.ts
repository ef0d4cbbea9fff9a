import { ServiceError } from "../errors.ts";
import { bytesOf, type StoredRun } from "./row.ts";
import { isTerminal } from "./schemas.ts";
import type { ToldRun } from "./told.ts";

/** What a write makes a chat's history grow. */
export interface Growth {
	/** In bytes; below 0 where it shrinks. */
	readonly bytes: number;
	/** A full history takes it all the same: runs that are known come to their end. Nobody should see them run for ever. */
	readonly isEnds: boolean;
}

/** What an end may add to a full history, in bytes: its output, an error's message, the ends of steps. */
const MAX_END_BYTES = 32_768;

/** @param stored the runs as they were, where they were */
export function growthOf(changed: readonly ToldRun[], stored: ReadonlyMap<string, StoredRun>): Growth {
	let bytes = 0;
	let isEnds = true;
	for (const { run } of changed) {
		const before = stored.get(run.id);
		bytes += bytesOf(run) - (before ? bytesOf(before.givenUp ?? before.run) : 0);
		isEnds &&= before !== undefined && !isTerminal(before.run.status) && isTerminal(run.status);
	}
	return { bytes, isEnds: isEnds && bytes <= MAX_END_BYTES * changed.length };
}

/** A report is refused, since the chat's history has no room for it. */
export function historyFull(maxBytes: number): ServiceError {
	return new ServiceError(
		"HISTORY_FULL",
		`The chat's history would be larger than ${maxBytes} bytes: it takes no run that is new or larger, but the ends of those it has`,
	);
}
