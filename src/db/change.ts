import { type SQL, sql } from "drizzle-orm";
import { chats } from "./schema.ts";

/*
 * Every write that changes anything under a chat raises the chat's change number by one and leaves a mark of its new
 * revision in the chat's trail. A watcher with an older state can then get the changes since that state: if the trail has
 * the state's mark in its place, all writes in between followed this rule. A write of version 0.1 or of an operator's SQL,
 * and a restored database, leave a revision without a mark. Then watchers get a snapshot instead.
 */

/** The state that a watcher has: the chat's change number, and the mark of its revision. */
export interface State {
	readonly change: number;
	readonly mark: string;
}

/** Enough of a random revision to tell two histories of one chat apart. */
const MARK_LENGTH = 8;

/** A watcher that is more changes behind gets a snapshot. 256 marks take 2 KB in the chat's row. */
const TRAIL_MARKS = 256;

/** The state that a chat's row shows. */
export const stateOf = (chat: { readonly change: number; readonly revision: string }): State => ({
	change: chat.change,
	mark: chat.revision.slice(0, MARK_LENGTH),
});

/** A state as text, for an event's id. A mark that is not of this service's making is never found again. */
export const stateId = ({ change, mark }: State) => `${change}.${MARK.test(mark) ? mark : "x"}`;

const MARK = /^[0-9a-f]{8}$/;
const STATE_ID = /^(\d{1,15})\.([0-9a-f]{8})$/;

/** The state that `stateId` named, or null: 0.1's event ids are 32 hexadecimal digits. */
export function parseStateId(id: string | undefined): State | null {
	const [, change, mark] = STATE_ID.exec(id ?? "") ?? [];
	return change && mark ? { change: Number(change), mark } : null;
}

export const isSame = (a: State | null, b: State | null) => a?.change === b?.change && a?.mark === b?.mark;

/** Whether the latest write under the chat left its mark. */
export const isMarked = sql`substr(${chats.trail}, ${sql.raw(String(-MARK_LENGTH))}) = substr(${chats.revision}, 1, ${sql.raw(String(MARK_LENGTH))})`;

/**
 * The columns of the chat's row that every write under the chat sets.
 * @param revision the chat's new revision
 * @param gap whether runs are deleted. A list of changed runs cannot say that
 */
export function nextChange<T extends string | SQL<string>>(revision: T, { gap = false } = {}) {
	const mark = sql`substr(${revision}, 1, ${sql.raw(String(MARK_LENGTH))})`;
	const length = sql.raw(String(-MARK_LENGTH * TRAIL_MARKS));
	const goesOn = gap ? sql`0` : isMarked;
	return {
		revision,
		change: sql<number>`${chats.change} + 1`,
		floor: sql<number>`case when ${goesOn} then ${chats.floor} else ${chats.change} + 1 end`,
		/** Unless the write says otherwise, what the runs take is as it was; see `history-bytes.ts`. */
		historyBytes: sql<number | null>`case when ${goesOn} then ${chats.historyBytes} end`,
		trail: sql<string>`case when ${goesOn} then substr(${chats.trail} || ${mark}, ${length}) else ${mark} end`,
	};
}

/** The first values of these columns. */
export function firstChange(revision: string) {
	return { revision, change: 1, floor: 1, historyBytes: 0, trail: stateOf({ change: 1, revision }).mark };
}

/** SQL: the chat's change number and the mark of the state before it, for `returning` behind `nextChange`. */
export const changed = {
	change: chats.change,
	/** Empty if the changes since then cannot be told. */
	fromMark:
		sql<string>`substr(${chats.trail}, ${sql.raw(String(-2 * MARK_LENGTH))}, ${sql.raw(String(MARK_LENGTH))})`.as(
			"fromMark",
		),
};

/** A change of a chat: from which state to which. */
export interface Change {
	/** Null if the changes since then cannot be told. */
	readonly from: State | null;
	readonly to: State;
}

/** The change to the written revision, from the values that `changed` returned. */
export function toChange({ change, fromMark }: { change: number; fromMark: string }, revision: string): Change {
	return {
		from: fromMark === "" ? null : { change: change - 1, mark: fromMark },
		to: stateOf({ change, revision }),
	};
}

const [since, mark] = [sql.placeholder("change"), sql.placeholder("mark")];
const length = sql.raw(String(MARK_LENGTH));
const place = sql`-${length} * (${chats.change} - ${since} + 1)`;

/**
 * SQL: whether all changes since a state can be told. The placeholders are the state's `change` and `mark`.
 * What the chat has now needs no trail: chats of 0.1 have none until their next change.
 */
export const canTell = sql<number>`((${since} = ${chats.change} and substr(${chats.revision}, 1, ${length}) = ${mark})
	or (${since} between ${chats.floor} and ${chats.change} and ${isMarked}
		and substr(${chats.trail}, ${place}, ${length}) = ${mark}))`;
