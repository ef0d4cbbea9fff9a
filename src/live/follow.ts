import { newer, PRIMARY } from "../db/bookmark.ts";
import { isSame, type State } from "../db/change.ts";
import type { ChangeMessage } from "../db/hub.ts";
import { isOutOfSubrequests } from "../db/write.ts";
import { ServiceError } from "../errors.ts";
import type { Scope, Session } from "../scope.ts";
import type { EventWriter } from "./event-writer.ts";
import { Inbox } from "./inbox.ts";
import { Line } from "./line.ts";

/** A stream ends after this, and its client comes back. */
const STREAM_SECONDS = 3_600;

/** Keeps proxies from closing a quiet connection, and finds out whether the client is still there. */
const HEARTBEAT_SECONDS = 15;

/** Session, chat and line are checked once in this time; up to a sixth less, so that streams do not ask all at once. */
const CHECK_SECONDS = 60;

/** A stream asks D1 no more often than this in all. Then it ends, and its client comes back. */
const MAX_QUERIES = 100;

/** Where message after message cannot be passed on, D1 is read no more often than this. */
const READ_MILLISECONDS = 1_000;
const MAX_READ_MILLISECONDS = 30_000;

/**
 * A change that cannot be told has all streams of its chat read D1, and maybe all runs. Spread over a time, they do so no
 * more often than this in all: hundreds at once are too much for D1, and for the memory of an isolate.
 */
const MAX_READS_A_SECOND = 200;

/** Why a stream ends: there is no use in coming back. */
export type EndReason = "session_ended" | "chat_deleted" | "chat_forbidden" | "run_ended";

/** What a client has. */
export interface Place {
	readonly state: State;
	/** The D1 bookmark from which a reader sees no less; null if it is not known. */
	readonly bookmark: string | null;
}

/** A kind of stream: of a chat, or of one run. Both answer why the stream ends now, if it does. */
export interface Kind {
	/** Tells what has changed since a place, by D1. `queries` is how many it took. */
	catchUp(since: Place, events: EventWriter): Promise<{ now: Place; queries: number; end?: EndReason | undefined }>;
	/** Tells changed runs, each as JSON text, which lead to a state. */
	pass(runs: readonly string[], to: State, events: EventWriter): Promise<EndReason | undefined>;
}

export interface Follow {
	readonly chatId: string;
	readonly start: Place;
	readonly kind: Kind;
	/** Checks the session again. */
	readonly rereadSession: () => Promise<Session>;
	/** When the session ends for certain, in milliseconds since the epoch: it is checked then, too. */
	readonly sessionEndsAt?: number | undefined;
}

/** Why a stream is over: an end, its time is up, its client has gone, or takes nothing. */
export type Outcome = EndReason | "time" | "client" | "slow";

/**
 * Follows a chat until the session or the chat ends, nobody is left, or the time is up: dials in at the chat's hub, reads
 * from D1 what the client lacks, and passes on what the hub tells. Whatever does not continue what the client has is
 * read from D1. While D1, KV or the hub fails, the stream stays, and catches up later.
 */
export async function follow(
	scope: Scope,
	{ chatId, start, kind, rereadSession, sessionEndsAt = Number.POSITIVE_INFINITY }: Follow,
	events: EventWriter,
): Promise<Outcome> {
	const inbox = new Inbox();
	const line = new Line(scope, chatId, inbox);
	void events.gone.then(() => inbox.ring());
	const endsAt = Date.now() + STREAM_SECONDS * 1_000;
	let place = start;
	let queries = 0;
	/** Whether D1 must be read, and when it may be. */
	let isBehind = true;
	let readsAt = 0;
	let calmAt = 0;
	let failures = 0;
	let checksAt = Math.min(nextCheck(), sessionEndsAt);

	async function catchUp(): Promise<EndReason | "time" | undefined> {
		try {
			const caughtUp = await kind.catchUp(failures > 1 ? { ...place, bookmark: PRIMARY } : place, events);
			queries += caughtUp.queries;
			place = caughtUp.now;
			isBehind = false;
			failures = 0;
			const now = Date.now();
			readsAt = now < calmAt ? now + READ_MILLISECONDS : now;
			calmAt = now + READ_MILLISECONDS;
			return caughtUp.end;
		} catch (error) {
			queries++;
			const code = error instanceof ServiceError ? error.code : null;
			if (code === "CHAT_NOT_FOUND") return "chat_deleted";
			if (code === "CHAT_FORBIDDEN") return "chat_forbidden";
			if (code !== "STORE_UNAVAILABLE") throw error;
			if (isOutOfSubrequests(error)) return "time";
			readsAt = Date.now() + Math.min(READ_MILLISECONDS * 2 ** failures++, MAX_READ_MILLISECONDS);
			return undefined;
		}
	}

	/** Passes a message on if it continues what the client has. */
	async function receive(message: ChangeMessage): Promise<EndReason | undefined> {
		const { from, to, bookmark, runs, reportedAt, watchers = 1 } = message;
		if (to.change <= place.state.change) return undefined;
		if (runs === null || !isSame(from, place.state)) {
			place = { ...place, bookmark: newer(place.bookmark, bookmark) };
			isBehind = true;
			readsAt = Math.max(readsAt, Date.now() + Math.random() * (watchers / MAX_READS_A_SECOND) * 1_000);
			return undefined;
		}
		place = { state: to, bookmark: newer(place.bookmark, bookmark) };
		const { told } = events;
		const end = await kind.pass(runs, to, events);
		if (reportedAt !== undefined && events.told > told) events.noteReported(reportedAt);
		return end;
	}

	async function check(): Promise<EndReason | undefined> {
		checksAt = Math.min(nextCheck(), sessionEndsAt);
		isBehind = true;
		line.ping();
		try {
			await rereadSession();
			return undefined;
		} catch (error) {
			const code = error instanceof ServiceError ? error.code : null;
			if (code === "INVALID_SESSION") return "session_ended";
			if (code !== "STORE_UNAVAILABLE") throw error;
			return undefined;
		}
	}

	async function step(): Promise<EndReason | "time" | undefined> {
		if (Date.now() >= checksAt) {
			const end = await check();
			if (end) return end;
		}
		if (!line.isOpen && Date.now() >= line.opensAt && (await line.open())) {
			isBehind = true;
			readsAt = 0;
		}
		if (inbox.hasLost()) isBehind = true;
		if (isBehind && Date.now() >= readsAt) {
			const end = await catchUp();
			if (end) return end;
		}
		// A slow client of a busy chat has always more to take: its session is checked all the same.
		while (!isBehind && Date.now() < checksAt) {
			const message = inbox.take();
			if (!message) break;
			const end = await receive(message);
			if (end) return end;
		}
		if (Date.now() >= events.writtenAt + HEARTBEAT_SECONDS * 1_000) await events.write(": heartbeat\n\n");
		return undefined;
	}

	try {
		for (;;) {
			if (events.isGone) return "client";
			if (Date.now() >= endsAt || queries >= MAX_QUERIES) return "time";
			const end = await step();
			if (end) return end;
			// At the latest when a heartbeat is due, also by a clock that was set back: a timer of more than 24 days is none.
			const wakesAt = [Math.min(events.writtenAt, Date.now()) + HEARTBEAT_SECONDS * 1_000, checksAt, endsAt];
			if (isBehind) wakesAt.push(readsAt);
			if (!line.isOpen) wakesAt.push(line.opensAt);
			await inbox.wait(Math.min(...wakesAt) - Date.now());
		}
	} finally {
		line.close();
	}
}

const nextCheck = () => Date.now() + CHECK_SECONDS * 1_000 * (1 - Math.random() / 6);
