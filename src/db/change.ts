import { type SQL, sql } from "drizzle-orm";
import { chats } from "./schema.ts";

/*
 * Every write that changes anything under a chat raises the chat's change number by one and leaves a mark of its new
 * revision in the chat's trail. Who has an older state can then be told what changed since: if the trail holds the
 * state's mark at its place, all between was written by this rule. A write of version 0.1, of an operator's SQL, or a
 * database that was restored leaves a revision without its mark: nobody is told "since" across it.
 */

/** What a watcher has: a chat's change number, and the mark of the revision that went with it. */
export interface State {
	readonly change: number;
	readonly mark: string;
}

/** Enough of a random revision to tell two histories of one chat apart. */
const MARK_LENGTH = 8;

/** Who is further behind than this many changes gets a snapshot. 2 KB in the chat's row. */
const TRAIL_MARKS = 256;

/** The state that a chat's row shows. */
export const stateOf = (chat: { readonly change: number; readonly revision: string }): State => ({
	change: chat.change,
	mark: chat.revision.slice(0, MARK_LENGTH),
});

export const isSame = (a: State | null, b: State | null) => a?.change === b?.change && a?.mark === b?.mark;

/** Whether the latest write under the chat left its mark. */
const isMarked = sql`substr(${chats.trail}, ${sql.raw(String(-MARK_LENGTH))}) = substr(${chats.revision}, 1, ${sql.raw(String(MARK_LENGTH))})`;

/**
 * What a write that changes anything under a chat sets in the chat's row.
 * @param revision the chat's new revision
 * @param gap whether runs go, which no list of changed runs can say
 */
export function nextChange(revision: string, { gap = false } = {}) {
	const { mark } = stateOf({ change: 0, revision });
	const length = sql.raw(String(-MARK_LENGTH * TRAIL_MARKS));
	const goesOn = gap ? sql`0` : isMarked;
	return {
		revision,
		change: sql<number>`${chats.change} + 1`,
		floor: sql<number>`case when ${goesOn} then ${chats.floor} else ${chats.change} + 1 end`,
		trail: sql<string>`case when ${goesOn} then substr(${chats.trail} || ${mark}, ${length}) else ${mark} end`,
	};
}

/** What a chat's row starts with. */
export function firstChange(revision: string) {
	return { revision, change: 1, floor: 1, trail: stateOf({ change: 1, revision }).mark };
}

/** SQL: the chat's change number and the mark of the state before it, for `returning` behind `nextChange`. */
export const changed = {
	change: chats.change,
	/** Empty where nobody can be told what changed since. */
	fromMark: sql<string>`substr(${chats.trail}, ${sql.raw(String(-2 * MARK_LENGTH))}, ${sql.raw(String(MARK_LENGTH))})`,
};

/** A change of a chat: from which state to which. */
export interface Change {
	/** Null where nobody can be told what changed since. */
	readonly from: State | null;
	readonly to: State;
}

/** What `changed` returned, as a change to the revision that was written. */
export function toChange({ change, fromMark }: { change: number; fromMark: string }, revision: string): Change {
	return {
		from: fromMark === "" ? null : { change: change - 1, mark: fromMark },
		to: stateOf({ change, revision }),
	};
}

/** SQL: whether all that has changed since a state can be told. */
export function canTellSince({ change, mark }: State): SQL<number> {
	const place = sql`${-MARK_LENGTH} * (${chats.change} - ${change} + 1)`;
	return sql<number>`(${change} between ${chats.floor} and ${chats.change} and ${isMarked}
		and substr(${chats.trail}, ${place}, ${sql.raw(String(MARK_LENGTH))}) = ${mark})`;
}
