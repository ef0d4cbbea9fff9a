import { forOwner } from "../access/owner.ts";
import { type State, stateOf } from "../db/change.ts";
import { askD1 } from "../db/read.ts";
import { ServiceError } from "../errors.ts";
import type { Scope, Session } from "../scope.ts";
import type { Wanted } from "../workflow-runs/decide.ts";
import { type History, readHistory } from "../workflow-runs/history.ts";
import { readChanges } from "../workflow-runs/read-changes.ts";
import type { ServerEvent } from "./event-writer.ts";
import type { Kind, Place } from "./follow.ts";
import { runEvents, sharedSnapshot, snapshotOf } from "./snapshot.ts";

/** What a stream begins with. */
export interface Opening {
	readonly start: Place;
	/** The chat's owner. */
	readonly userId: string;
	/** What the client lacks; none if it is up to date. */
	readonly first: readonly ServerEvent[];
}

/**
 * What a client of a chat's stream lacks: all runs, or those that have changed since the state that it has.
 * @param since the state that the client says it has
 * @throws {ServiceError} as `readHistory`
 */
export async function openChatStream(
	scope: Scope,
	session: Promise<Session>,
	chatId: string,
	since: State | null,
): Promise<Opening> {
	if (!since) return opening(chatId, await readHistory(scope, session, chatId));
	const asked = askD1(scope, null, (d1) => readChanges(d1, chatId, since));
	try {
		const { userId, runs, state } = await forOwner(
			scope,
			session,
			asked.then(({ found }) => found),
		);
		const { bookmark } = await asked;
		if (runs) return { start: { state, bookmark }, userId, first: runEvents(runs, state) };
		return opening(chatId, await readHistory(scope, session, chatId, nowIn(bookmark)));
	} catch (error) {
		if (!(error instanceof ServiceError && error.code === "STORE_UNAVAILABLE")) throw error;
		// A copy says who the owner is. What the client lacks is told when D1 is back.
		const { userId, bookmark } = await readHistory(scope, session, chatId);
		return { start: { state: since, bookmark }, userId, first: [] };
	}
}

/**
 * A snapshot is told where D1 has another history than the client. So has a copy, perhaps, whatever the bookmarks: those of
 * a database that took another's place begin anew.
 */
const nowIn = (bookmark: string | null): Wanted => ({ bookmark: bookmark ?? undefined, certain: true });

function opening(chatId: string, history: History): Opening {
	return { start: placeOf(history), userId: history.userId, first: snapshotOf(chatId, history) };
}

const placeOf = (history: History): Place => ({ state: stateOf(history), bookmark: history.bookmark });

/** A chat's stream: all of its runs. */
export function chatStream(scope: Scope, chatId: string, userId: string): Kind {
	return {
		async catchUp({ state, bookmark }, events) {
			const answer = await askD1(scope, bookmark, (d1) => readChanges(d1, chatId, state));
			const changes = await ownedBy(userId, answer.found);
			if (changes.runs) {
				if (changes.runs.length > 0) await events.events(runEvents(changes.runs, changes.state));
				return { now: { state: changes.state, bookmark: answer.bookmark }, queries: 1 };
			}
			const shared = sharedSnapshot(chatId, changes.state);
			if (shared) {
				await events.events(shared);
				return { now: { state: changes.state, bookmark: answer.bookmark }, queries: 1 };
			}
			const session = Promise.resolve({ userId });
			const history = await readHistory(scope, session, chatId, nowIn(answer.bookmark));
			// A copy that may be older than what the client has would be a step back.
			if (history.cacheUse === "stale") throw new ServiceError("STORE_UNAVAILABLE");
			await events.events(snapshotOf(chatId, history));
			return { now: placeOf(history), queries: 3 };
		},
		async pass(runs, to, events) {
			if (runs.length > 0) await events.events(runEvents(runs, to));
			return undefined;
		},
	};
}

/** @throws {ServiceError} CHAT_NOT_FOUND, CHAT_FORBIDDEN */
export async function ownedBy<T extends { userId: string }>(userId: string, found: T | null): Promise<T> {
	if (!found) throw new ServiceError("CHAT_NOT_FOUND");
	if (found.userId !== userId) throw new ServiceError("CHAT_FORBIDDEN");
	return found;
}
