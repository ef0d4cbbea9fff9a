import { desc, eq, getTableColumns, type SQL, type SQLWrapper, sql } from "drizzle-orm";
import { NOT_STARTED } from "#protocol/order.ts";
import { PRIMARY } from "../db/bookmark.ts";
import { drizzleOver } from "../db/drizzle.ts";
import { askHub, type Hub } from "../db/hub.ts";
import { askD1 } from "../db/read.ts";
import { chats, workflowRuns } from "../db/schema.ts";
import { ServiceError } from "../errors.ts";
import type { Scope } from "../scope.ts";
import { dropBody, findHistory } from "../workflow-runs/edge-cache.ts";
import { STATUSES, type Status } from "../workflow-runs/schemas.ts";
import { type ChatLook, MAX_COUNTED, MAX_NAMED } from "./schemas.ts";

type Look = ChatLook["data"];

/**
 * A chat as D1's primary, its hub and this data centre's cache have it, whoever owns it, and also if it was deleted.
 * @param chatId lower-case UUID
 * @throws {ServiceError} CHAT_NOT_FOUND, or STORE_UNAVAILABLE
 */
export async function inspectChat(scope: Scope, chatId: string): Promise<Look> {
	const { found } = await askD1(scope, PRIMARY, (session) => readChat(session, chatId));
	if (!found) throw new ServiceError("CHAT_NOT_FOUND", "No chat of this id is registered");
	const [hub, cachedCopy] = await Promise.all([
		inspectHub(scope, chatId),
		inspectCopy(scope, chatId, found.chat.revision),
	]);
	return { ...found, hub, cachedCopy };
}

async function readChat(session: D1DatabaseSession, chatId: string): Promise<Pick<Look, "chat" | "runs"> | null> {
	const db = drizzleOver(session);
	const { id, status, startedAt, completedAt, createdAt, heardAt, change } = workflowRuns;
	const { trail: _, ...columns } = getTableColumns(chats);
	const byChange = () =>
		db
			.select({ id, status, startedAt, completedAt, createdAt, heardAt, change })
			.from(workflowRuns)
			.where(eq(workflowRuns.chatId, chatId))
			.orderBy(desc(change));
	const counted = byChange().limit(MAX_COUNTED).as("counted");
	const [[row], [byStatus], latest] = await db.batch([
		db
			.select({ ...columns, oldestStart: start(chatId, sql`asc`), newestStart: start(chatId, sql`desc`) })
			.from(chats)
			.where(eq(chats.id, chatId)),
		// No `group by`, for which D1 would put every row aside.
		db.select(countsOf(counted.status)).from(counted),
		byChange().limit(MAX_NAMED),
	]);
	if (!row || !byStatus) return null;
	const { oldestStart, newestStart, ...chat } = row;
	const isCapped = Object.values(byStatus).reduce((sum, runs) => sum + runs, 0) >= MAX_COUNTED;
	return {
		chat: { ...chat, userId: chat.userId || null },
		runs: { byStatus, isCapped, oldestStart, newestStart, latest },
	};
}

/** SQL: the first start of the chat's runs in this direction, without those that have not started. */
const start = (chatId: string, direction: SQL) => sql<
	string | null
>`(select ${workflowRuns.startOrder} from ${workflowRuns}
	where ${workflowRuns.chatId} = ${chatId} and ${workflowRuns.startOrder} < ${NOT_STARTED}
	order by ${workflowRuns.startOrder} ${direction} limit 1)`;

const countsOf = (column: SQLWrapper) =>
	Object.fromEntries(
		STATUSES.map((status) => [status, sql<number>`count(*) filter (where ${column} = ${status})`.as(status)]),
	) as Record<Status, SQL.Aliased<number>>;

async function inspectHub(scope: Scope, chatId: string): Promise<Look["hub"]> {
	if (!scope.env.HUB) return { state: "off", watchers: null };
	const watchers = await askHub(scope, chatId, (hub) => (hub as unknown as Hub).countWatchers());
	return watchers === undefined ? { state: "failing", watchers: null } : { state: "ok", watchers };
}

async function inspectCopy(scope: Scope, chatId: string, current: string): Promise<Look["cachedCopy"]> {
	const copy = await findHistory(scope, chatId);
	if (!copy) return null;
	dropBody(copy);
	const { revision, change, byteLength: bytes, readAt, checkedAt } = copy;
	return {
		revision,
		change,
		bytes,
		readAt: new Date(readAt).toISOString(),
		confirmedAt: new Date(checkedAt).toISOString(),
		isCurrent: revision === current,
	};
}
