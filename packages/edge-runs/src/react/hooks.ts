import { useCallback, useMemo, useSyncExternalStore } from "react";
import type { WorkflowRun, WorkflowRunStatus } from "../protocol/types.ts";
import type { UseActiveRuns } from "./active-runs.ts";
import { type ChatRuns, NOTHING_YET } from "./chats.ts";
import { useShared } from "./provider.ts";

export interface UseWorkflowRunsOptions {
	/** Only runs of these statuses. */
	readonly status?: readonly WorkflowRunStatus[] | undefined;
	/** Lets go of the chat when it is aborted; what is shown stays as it is. */
	readonly signal?: AbortSignal | undefined;
}

export interface UseWorkflowRuns extends ChatRuns {
	/** Opens the connection again if it has ended: after a sign-in, say. */
	readonly retry: () => void;
}

/**
 * A chat's runs, in the list's order, kept up to date. All components that look at one chat share one connection, which
 * is closed behind the last of them. On a server, and until the first runs are here, there are none.
 * @param chatId null while it is not known
 */
export function useWorkflowRuns(
	chatId: string | null,
	{ status, signal }: UseWorkflowRunsOptions = {},
): UseWorkflowRuns {
	const { chat, retry } = useChat(chatId, signal, chatOf);
	// The statuses, whatever array they come in.
	const wanted = status?.join();
	const runs = useMemo(() => {
		if (wanted === undefined) return chat.runs;
		const statuses = wanted.split(",");
		return chat.runs.filter((run) => statuses.includes(run.status));
	}, [chat.runs, wanted]);
	return useMemo(() => ({ ...chat, runs, retry }), [chat, runs, retry]);
}

export interface UseWorkflowRun extends Omit<ChatRuns, "runs"> {
	/** Undefined while it is not there; `isLoaded` says whether it may still come with the first runs. */
	readonly run: WorkflowRun | undefined;
	readonly retry: () => void;
}

/** One run, kept up to date, over the chat's one connection. It renders only when this run, or the connection, changes. */
export function useWorkflowRun(chatId: string | null, runId: string | null): UseWorkflowRun {
	const select = useMemo(() => {
		const id = runId?.toLowerCase();
		let last: Omit<UseWorkflowRun, "retry"> | undefined;
		return ({ runs, isLoaded, state, error }: ChatRuns) => {
			const run = byId(runs).get(id);
			if (last?.run !== run || last?.isLoaded !== isLoaded || last.state !== state)
				last = { run, isLoaded, state, error };
			return last as Omit<UseWorkflowRun, "retry">;
		};
	}, [runId]);
	const { chat, retry } = useChat(chatId, undefined, select);
	return useMemo(() => ({ ...chat, retry }), [chat, retry]);
}

/**
 * How many of the user's runs have not ended, over all chats: for a badge. It is asked for every 15 seconds while somebody
 * looks at the page, once for all components. After a refusal (401 or 403) only `retry` asks again.
 */
export function useActiveRuns(): UseActiveRuns {
	const { active } = useShared();
	return useSyncExternalStore(active.subscribe, active.read, () => active.first);
}

const maps = new WeakMap<readonly WorkflowRun[], ReadonlyMap<string | undefined, WorkflowRun>>();

/** Made once for each state of a chat, so that many components may each look for a run. */
function byId(runs: readonly WorkflowRun[]): ReadonlyMap<string | undefined, WorkflowRun> {
	let map = maps.get(runs);
	if (!map) {
		map = new Map(runs.map((run) => [run.id, run]));
		maps.set(runs, map);
	}
	return map;
}

const chatOf = (chat: ChatRuns) => chat;

/** @param select what a component needs of a chat: the same object until that changes */
function useChat<T>(chatId: string | null, signal: AbortSignal | undefined, select: (chat: ChatRuns) => T) {
	const { chats } = useShared();
	const subscribe = useCallback(
		(listener: () => void) => {
			if (chatId === null || signal?.aborted) return () => {};
			const unsubscribe = chats.subscribe(chatId, listener);
			signal?.addEventListener("abort", unsubscribe);
			return () => {
				signal?.removeEventListener("abort", unsubscribe);
				unsubscribe();
			};
		},
		[chats, chatId, signal],
	);
	const read = useMemo(() => {
		let last: T | undefined;
		return () => {
			if (!signal?.aborted || last === undefined) last = select(chats.read(chatId));
			return last;
		};
	}, [chats, chatId, signal, select]);
	const chat = useSyncExternalStore(subscribe, read, () => select(NOTHING_YET));
	const retry = useCallback(() => chats.retry(chatId), [chats, chatId]);
	return { chat, retry };
}
