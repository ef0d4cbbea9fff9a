import { EdgeRunsError } from "../client/errors.ts";
import type { WorkflowRunsFollower } from "../client/follower.ts";
import { type LineState, refusedBy } from "../client/state.ts";
import type { WorkflowRun } from "../protocol/types.ts";

/** What is known of a chat at a moment; the same object until something changes. */
export interface ChatRuns {
	/** In the list's order; each run is the same object until it changes. */
	readonly runs: readonly WorkflowRun[];
	/** Whether the first runs are here: until then `runs` is empty and means nothing. */
	readonly isLoaded: boolean;
	readonly state: LineState;
	/** Why nothing more comes, where it was refused: the same as in `state`. */
	readonly error: EdgeRunsError | null;
}

/** Of a chat that is not followed yet, and on a server, where nothing is followed. */
export const NOTHING_YET: ChatRuns = { runs: [], isLoaded: false, state: { status: "connecting" }, error: null };

/** A connection outlives its last component by this, so that another one, mounted in its place, finds it. In milliseconds. */
const LINGER_MILLISECONDS = 1_000;

interface Entry {
	readonly listeners: Set<() => void>;
	follower: WorkflowRunsFollower | null;
	snapshot: ChatRuns;
	linger: ReturnType<typeof setTimeout> | undefined;
}

export interface FollowedChats {
	read(chatId: string | null): ChatRuns;
	/** Follows the chat while anybody listens. */
	subscribe(chatId: string, listener: () => void): () => void;
	/** Opens the chat's connection again if it has ended: somebody has signed in, say. */
	retry(chatId: string | null): void;
}

/** The chats that components look at: one connection each, however many components there are. */
export function followChats(follow: (chatId: string) => WorkflowRunsFollower): FollowedChats {
	const entries = new Map<string | null, Entry>();

	function open(chatId: string, entry: Entry): void {
		try {
			const follower = follow(chatId);
			const look = () => {
				const { state } = follower;
				// What was shown stays until there is something newer, as on a connection that was lost.
				const { runs, isLoaded } = follower.isLoaded ? follower : entry.snapshot;
				entry.snapshot = { runs, isLoaded, state, error: state.status === "ended" ? state.error : null };
			};
			look();
			entry.follower = follower;
			follower.subscribe(() => {
				look();
				tell(entry);
			});
		} catch (error) {
			// An id that is not one.
			if (!(error instanceof EdgeRunsError)) throw error;
			entry.snapshot = { ...NOTHING_YET, state: { status: "ended", ...refusedBy(error) }, error };
		}
	}

	function leave(chatId: string, entry: Entry, listener: () => void): void {
		entry.listeners.delete(listener);
		if (entry.listeners.size > 0) return;
		clearTimeout(entry.linger);
		entry.linger = setTimeout(() => {
			if (entries.get(chatId) === entry) entries.delete(chatId);
			entry.follower?.close();
		}, LINGER_MILLISECONDS);
	}

	return {
		read: (chatId) => entries.get(chatId)?.snapshot ?? NOTHING_YET,
		subscribe(chatId, listener) {
			let entry = entries.get(chatId);
			if (!entry) {
				entry = { listeners: new Set(), follower: null, snapshot: NOTHING_YET, linger: undefined };
				entries.set(chatId, entry);
				open(chatId, entry);
			}
			clearTimeout(entry.linger);
			entry.listeners.add(listener);
			return () => leave(chatId, entry, listener);
		},
		retry(chatId) {
			const entry = entries.get(chatId);
			if (entry?.snapshot.state.status !== "ended") return;
			open(chatId as string, entry);
			tell(entry);
		},
	};
}

function tell({ listeners }: Entry): void {
	for (const listener of [...listeners]) listener();
}
