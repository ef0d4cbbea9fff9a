import { type SQL, sql } from "drizzle-orm";
import { MAX_ANSWER_BYTES } from "#protocol/limits.ts";
import { PRIMARY } from "../db/bookmark.ts";
import { lightBytes, runBytes } from "../db/history-bytes.ts";
import { type prepareOnce, prepareSql } from "../db/prepared.ts";
import { askD1 } from "../db/read.ts";
import { type JsonBody, jsonBody } from "../etag.ts";
import type { Scope, Session } from "../scope.ts";
import { runJson, runJsonWithoutSteps } from "./json.ts";
import { type Slice, withOneBound } from "./read-query.ts";
import { type ActiveRuns, STATUSES } from "./schemas.ts";
import { pageOf } from "./slice.ts";

/* A user's runs over all chats. By the table `user_runs`, in which triggers keep an entry for each run of a chat that is there. */

/** Active runs of each status are counted up to this number: nobody reads a larger badge. */
export const MAX_COUNTED = 1_000;

interface Served extends JsonBody {
	readonly bookmark: string | null;
}

type UserSlice = Omit<Slice, "runId" | "unlessRevision" | "limit"> & { readonly limit: number };

/**
 * A page of a user's runs, newest first. It costs what the page holds, whatever the user's other runs and chats are.
 * @param bookmark D1 bookmark of a caller's. The answer is at least as new
 * @throws {ServiceError} the error that `session` rejects with, or STORE_UNAVAILABLE
 */
export async function readUserRuns(
	scope: Scope,
	session: Promise<Session>,
	asked: UserSlice,
	bookmark?: string,
): Promise<Served> {
	const { userId } = await session;
	const slice = withOneBound(asked);
	// One more than asked for, to know whether the list goes on.
	const limit = slice.limit + 1;
	const values = { ...slice, ...slice.after, userId, limit };
	const { found, bookmark: seen } = await askD1(scope, startOf(bookmark), (d1) =>
		queryOf(slice)(d1, values).raw<[json: string | null, upTo: number]>(),
	);
	found.sort(([, a], [, b]) => a - b);
	const runs: string[] = [];
	for (const [json] of found) if (json !== null) runs.push(json);
	return { ...(await pageOf(runs, { limit }, runs.length < found.length)), bookmark: seen };
}

/**
 * How many of a user's runs have not ended, over all chats.
 * @throws {ServiceError} as `readUserRuns`
 */
export async function countActiveRuns(scope: Scope, session: Promise<Session>, bookmark?: string): Promise<Served> {
	const { userId } = await session;
	const { found, bookmark: seen } = await askD1(scope, startOf(bookmark), (d1) =>
		countQuery(d1, { userId }).raw<[pending: number, running: number]>(),
	);
	const [[pending = 0, running = 0] = []] = found;
	const data: ActiveRuns["data"] = { pending, running };
	return { ...(await jsonBody(JSON.stringify({ data }))), bookmark: seen };
}

const startOf = (bookmark: string | undefined) => (bookmark === undefined ? null : PRIMARY);

const ORDER = sql.raw("start_order desc, run_id desc");

const countOf = (status: string) =>
	sql`(select count(*) from (select 1 from user_runs where user_id = ${sql.placeholder("userId")}
		and status = ${sql.raw(`'${status}'`)} limit ${sql.raw(String(MAX_COUNTED))}))`;

const countQuery = prepareSql(sql`select ${countOf("pending")}, ${countOf("running")}`);

/** A query for each combination of conditions. */
const queries = new Map<string, ReturnType<typeof prepareOnce>>();

function queryOf(slice: UserSlice): ReturnType<typeof prepareOnce> {
	const { after, startedAfter, startedBefore, withoutSteps } = slice;
	const statuses = STATUSES.filter((status) => !slice.status || slice.status.includes(status));
	const conditions = [
		after && sql`and (start_order, run_id) < (${sql.placeholder("startOrder")}, ${sql.placeholder("id")})`,
		startedAfter === undefined ? undefined : sql`and start_order >= ${sql.placeholder("startedAfter")}`,
		startedBefore === undefined ? undefined : sql`and start_order < ${sql.placeholder("startedBefore")}`,
	];
	const name = `${statuses} ${conditions.map(Boolean)} ${withoutSteps}`;
	let query = queries.get(name);
	if (!query) {
		const where = sql.join(conditions.filter((condition) => condition !== undefined));
		query = prepareSql(build(statuses, where, withoutSteps ? [runJsonWithoutSteps, lightBytes] : [runJson, runBytes]));
		queries.set(name, query);
	}
	return query;
}

/**
 * SQL with the placeholders `userId` and `limit`: the first entries of a user's runs in the list's order, as `start_order,
 * run_id`. Those of each status, merged: the index has them in that order only within a status.
 * @param where a further condition on the entries
 */
export function newestEntries(statuses: readonly string[], where: SQL = sql.empty()): SQL {
	const limit = sql.placeholder("limit");
	const entries = statuses.map(
		(status) => sql`select * from (select start_order, run_id from user_runs
			where user_id = ${sql.placeholder("userId")} and status = ${sql.raw(`'${status}'`)} ${where}
			order by ${ORDER} limit ${limit})`,
	);
	return sql`select * from (${sql.join(entries, sql` union all `)}) order by ${ORDER} limit ${limit}`;
}

/*
 * The runs' sizes, and the texts of those that fit into an answer. The chat is asked once more who its owner is: if an
 * entry were wrong, it must not show a stranger a run.
 */
function build(statuses: readonly string[], where: SQL, [json, bytes]: [SQL<string>, SQL<number>]): SQL {
	return sql`with page as (${newestEntries(statuses, where)}), sizes as (
		select workflow_runs.rowid as row, ${bytes} as bytes,
			sum(${bytes}) over (order by page.start_order desc, page.run_id desc rows unbounded preceding) as up_to
		from page cross join workflow_runs on workflow_runs.id = page.run_id
		cross join chats on chats.id = workflow_runs.chat_id
			and chats.user_id = ${sql.placeholder("userId")} and chats.deleted_at is null
	)
	select case when up_to <= ${MAX_ANSWER_BYTES} or up_to = bytes then ${json} end, up_to
	from sizes cross join workflow_runs on workflow_runs.rowid = sizes.row`;
}
