import type { JsonBody } from "../etag.ts";
import type { Scope, Session } from "../scope.ts";
import { encodeCursor, isBehind } from "./cursor.ts";
import { confirmHistory, readBody } from "./edge-cache.ts";
import { CACHE_STATUS } from "./history.ts";
import { listBody, parseList } from "./json.ts";
import { type Asked, lookUp } from "./look-up.ts";
import type { Slice } from "./read-query.ts";
import type { WorkflowRun } from "./schemas.ts";

/** Some of a chat's runs, as they are served. */
export interface ServedSlice extends JsonBody {
	readonly bookmark: string | null;
	readonly age?: number;
	/** A `Cache-Status` member's parameters (RFC 9211, 2). */
	readonly cacheStatus: string;
}

/** Parsing a larger copy takes more time than D1 does to choose the runs. */
const MAX_PARSED_BYTES = 1_000_000;

/**
 * Some of a chat's runs for its owner: from this data centre's copy where there is one that holds, else from D1.
 * Session and runs are read at the same time.
 *
 * @param chatId lower-case UUID
 * @param bookmark D1 bookmark. The answer is at least as new
 * @throws {ServiceError} CHAT_NOT_FOUND, CHAT_FORBIDDEN, the error that `session` rejects with,
 *   or STORE_UNAVAILABLE if D1 fails and no copy is young enough
 */
export function readSlice(
	scope: Scope,
	session: Promise<Session>,
	chatId: string,
	chosen: Omit<Slice, "runId" | "unlessRevision">,
	bookmark?: string,
): Promise<ServedSlice> {
	// One more than asked for, to know whether the list goes on.
	const slice = { ...chosen, limit: chosen.limit && chosen.limit + 1 };
	return sliceOf(scope, session, chatId, slice, {
		slice,
		bookmark,
		isUsable: ({ byteLength }) => byteLength <= MAX_PARSED_BYTES,
	});
}

async function sliceOf(
	scope: Scope,
	session: Promise<Session>,
	chatId: string,
	slice: Slice,
	asked: Asked,
): Promise<ServedSlice> {
	const found = await lookUp(scope, session, chatId, asked);
	if (found.cacheUse === "miss") {
		const { runs, isCut, bookmark } = found;
		return { ...(await pageOf(runs, slice, isCut)), bookmark, cacheStatus: "fwd=bypass" };
	}
	const { copy, cacheUse, age } = found;
	const body = await readBody(scope, chatId, copy);
	if (body === null) return sliceOf(scope, session, chatId, slice, { ...asked, isUsable: () => false });
	if (cacheUse === "revalidated") confirmHistory(scope, chatId, copy);
	const chosen = choose(parseList(body), slice).map((run) => JSON.stringify(run));
	return { ...(await pageOf(chosen, slice)), bookmark: copy.bookmark, age, cacheStatus: CACHE_STATUS[cacheUse] };
}

/** As D1 chooses; see `readChatRuns`. */
function choose(runs: readonly WorkflowRun[], slice: Slice): WorkflowRun[] {
	const { status, after, startedAfter, startedBefore, withoutSteps, limit } = slice;
	const fits = (run: WorkflowRun) =>
		(!status || status.includes(run.status)) &&
		(!after || isBehind(run, after)) &&
		// Timestamps of one form compare as text does. A run that has not started fits no time.
		(startedAfter === undefined || (run.startedAt !== null && run.startedAt >= startedAfter)) &&
		(startedBefore === undefined || (run.startedAt !== null && run.startedAt < startedBefore));
	const chosen = runs.filter(fits).slice(0, limit);
	return withoutSteps ? chosen.map((run) => ({ ...run, steps: [] })) : chosen;
}

/**
 * @param runs each as JSON text, up to one more than are served
 * @param isCut whether there are more that the page has no room for
 */
export function pageOf(runs: readonly string[], { after, limit }: Slice, isCut = false): Promise<JsonBody> {
	const page = limit ? runs.slice(0, limit - 1) : runs;
	const last = isCut || page.length < runs.length ? page.at(-1) : undefined;
	if (last !== undefined) return listBody(page, encodeCursor(JSON.parse(last)));
	return listBody(page, limit || after ? null : undefined);
}
