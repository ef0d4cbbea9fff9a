import { sql } from "drizzle-orm";
import { PRIMARY } from "../db/bookmark.ts";
import { prepareSql } from "../db/prepared.ts";
import { askD1 } from "../db/read.ts";
import { ServiceError } from "../errors.ts";
import type { Scope } from "../scope.ts";
import { newestEntries } from "../workflow-runs/read-user-runs.ts";
import { STATUSES, type Status } from "../workflow-runs/schemas.ts";
import { MAX_COUNTED, MAX_NAMED, type UserLook } from "./schemas.ts";

type Look = UserLook["data"]["user"];

/**
 * A user's chats and runs, as D1's primary has them. What it costs has a limit, however many they are.
 * @throws {ServiceError} USER_NOT_FOUND if no chat is registered for the user, or STORE_UNAVAILABLE
 */
export async function inspectUser(scope: Scope, userId: string): Promise<Look> {
	const values = { userId, limit: MAX_NAMED };
	const { found } = await askD1(
		scope,
		PRIMARY,
		(session) => session.batch(QUERIES.map((query) => query(session, values))) as Promise<unknown> as Promise<Found>,
	);
	const [{ results: latestChats }, chats, runs, { results: latestRuns }] = found;
	if (latestChats.length === 0) throw new ServiceError("USER_NOT_FOUND");
	const [{ live, deleted }] = chats.results;
	const [byStatus] = runs.results;
	return {
		id: userId,
		chats: { live, deleted, isCapped: live + deleted >= MAX_COUNTED, latest: latestChats },
		runs: {
			byStatus,
			isCapped: Object.values(byStatus).some((runs) => runs >= MAX_COUNTED),
			latest: latestRuns,
		},
	};
}

/** What the queries find, in their order. D1's own type has one kind of row for a whole batch. */
type Found = [
	{ results: Look["chats"]["latest"] },
	{ results: [{ live: number; deleted: number }] },
	{ results: [Record<Status, number>] },
	{ results: Look["runs"]["latest"] },
];

const userId = sql.placeholder("userId");
const most = sql.raw(String(MAX_COUNTED));

const chatsOfUser = sql`(select id, created_at as createdAt, deleted_at as deletedAt from chats
	where user_id = ${userId} order by id desc limit ${most})`;

const counts = STATUSES.map(
	(status) => sql`(select count(*) from
		(select 1 from user_runs where user_id = ${userId} and status = ${status} limit ${most})) as ${sql.raw(status)}`,
);

const QUERIES = [
	sql`select * from ${chatsOfUser} order by createdAt desc, id desc limit ${sql.placeholder("limit")}`,
	sql`select count(*) - count(deletedAt) as live, count(deletedAt) as deleted from ${chatsOfUser}`,
	sql`select ${sql.join(counts, sql`, `)}`,
	sql`with page as (${newestEntries(STATUSES)})
		select id, chat_id as chatId, status, started_at as startedAt
		from page cross join workflow_runs on id = run_id order by page.start_order desc, run_id desc`,
].map(prepareSql);
