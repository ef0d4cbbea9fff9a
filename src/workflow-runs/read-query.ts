import { and, desc, eq, inArray, isNull, type SQL, sql } from "drizzle-orm";
import { QueryBuilder } from "drizzle-orm/sqlite-core";
import { MAX_ANSWER_BYTES } from "#protocol/limits.ts";
import { NOT_STARTED } from "#protocol/order.ts";
import { lightBytes, runBytes } from "../db/history-bytes.ts";
import { prepareOnce } from "../db/prepared.ts";
import { chats, workflowRuns } from "../db/schema.ts";
import type { Position } from "./cursor.ts";
import { runJson, runJsonWithoutSteps } from "./json.ts";
import type { Status } from "./schemas.ts";

/** Which of a chat's runs to read. Empty: all of them. */
export interface Slice {
	readonly runId?: string | undefined;
	readonly status?: readonly Status[] | undefined;
	/** Only runs behind this position in the list's order. */
	readonly after?: Position | undefined;
	/** Only runs that started then or later: a timestamp as it is stored. */
	readonly startedAfter?: string | undefined;
	/** Only runs that started before: a timestamp as it is stored. */
	readonly startedBefore?: string | undefined;
	/** Leaves `steps` empty. */
	readonly withoutSteps?: boolean | undefined;
	/** At most this many runs. */
	readonly limit?: number | undefined;
	/** Read no runs if the chat still has this revision. This costs one row read. */
	readonly unlessRevision?: string | undefined;
}

/**
 * As `build` and `buildPage` select them. The run is null if there is none, or the page has no room for it.
 * `upTo`: in a page, what the runs up to this one take, in bytes.
 */
export type Row = [userId: string, revision: string, change: number, json: string | null, upTo?: number | null];

/** Up to this number of runs fit into a page, whatever they hold. */
const MAX_UNMEASURED = 3;

/**
 * Whether runs are measured before they are read. All of a chat's runs are not a page: the contract has them come back at
 * once, and the history has its own limit. Nor is what was small a minute ago, and has most likely not changed.
 */
export function isPage({
	status,
	after,
	startedAfter,
	startedBefore,
	withoutSteps,
	limit,
	unlessRevision,
}: Slice): boolean {
	if (unlessRevision !== undefined || (limit !== undefined && limit <= MAX_UNMEASURED)) return false;
	return (status ?? after ?? startedAfter ?? startedBefore ?? withoutSteps ?? limit) !== undefined;
}

/**
 * The same slice with one upper bound in the list's order. Of several, SQLite takes any for its way through the index, and
 * reads the runs that the others leave out.
 */
export function withOneBound<T extends Pick<Slice, "after" | "startedAfter" | "startedBefore">>(slice: T): T {
	const { after, startedAfter } = slice;
	// Runs that have not started sort behind every start, and fit no time.
	const startedBefore = slice.startedBefore ?? (startedAfter === undefined ? undefined : NOT_STARTED);
	if (!after || startedBefore === undefined) return { ...slice, startedBefore };
	if (after.startOrder < startedBefore) return { ...slice, startedBefore: undefined };
	return { ...slice, startedBefore, after: undefined };
}

const CONDITIONS = {
	// By the chat's id, or by null, which finds nothing without reading a run.
	unlessRevision: sql`${workflowRuns.chatId} = case when ${chats.revision} <> ${sql.placeholder("unlessRevision")} then ${chats.id} end`,
	runId: eq(workflowRuns.id, sql.placeholder("runId")),
	// One parameter, since D1 takes at most 100.
	status: inArray(workflowRuns.status, sql`(select value from json_each(${sql.placeholder("status")}))`),
	startedAfter: sql`${workflowRuns.startOrder} >= ${sql.placeholder("startedAfter")}`,
	startedBefore: sql`${workflowRuns.startOrder} < ${sql.placeholder("startedBefore")}`,
	after: sql`(${workflowRuns.startOrder}, ${workflowRuns.id}) < (${sql.placeholder("startOrder")}, ${sql.placeholder("id")})`,
};

type Condition = keyof typeof CONDITIONS;
const CONDITION_NAMES = Object.keys(CONDITIONS) as Condition[];

/** A query for each combination of conditions. */
const queries = new Map<string, ReturnType<typeof prepareOnce>>();

/** The query for a slice. Its rows are `Row`s; its placeholders are named as the slice's fields. */
export function queryOf(slice: Slice): ReturnType<typeof prepareOnce> {
	const conditions = CONDITION_NAMES.filter((name) => slice[name] !== undefined);
	const isLimited = slice.limit !== undefined;
	const isMeasured = isPage(slice);
	const name = `${isMeasured} ${conditions} ${isLimited} ${slice.withoutSteps}`;
	let query = queries.get(name);
	if (!query) {
		const select = isMeasured ? buildPage : build;
		query = prepareOnce(() => select(conditions, isLimited, slice.withoutSteps ? LIGHT : WHOLE));
		queries.set(name, query);
	}
	return query;
}

/*
 * What is the chat's stands in every row, which costs less than a second query in a batch. So does one run a row: several
 * in one spare the Worker nothing (1.1 ms to parse 1,000 runs of 5 steps, either way), and D1 counts each row that it
 * puts aside for that as read.
 */
function build(conditions: readonly Condition[], isLimited: boolean, { json }: Form) {
	const query = new QueryBuilder()
		.select({ ...CHAT, json })
		.from(chats)
		.leftJoin(workflowRuns, isWanted(conditions))
		.where(IS_CHAT)
		.orderBy(ORDER);
	return isLimited ? query.limit(sql.placeholder("limit")) : query;
}

/** How a run is read: as text, and what that takes. */
interface Form {
	readonly json: SQL<string>;
	readonly bytes: SQL<number>;
}

const WHOLE: Form = { json: runJson, bytes: runBytes };
const LIGHT: Form = { json: runJsonWithoutSteps, bytes: lightBytes };

const CHAT = { userId: chats.userId, revision: chats.revision, change: chats.change };
const IS_CHAT = and(eq(chats.id, sql.placeholder("chatId")), isNull(chats.deletedAt));
const ORDER = sql`${desc(workflowRuns.startOrder)}, ${desc(workflowRuns.id)}`;

function isWanted(conditions: readonly Condition[]) {
	const isOfChat = conditions.includes("unlessRevision") ? undefined : eq(workflowRuns.chatId, chats.id);
	return and(isOfChat, ...conditions.map((name) => CONDITIONS[name]));
}

/**
 * Runs as long as they fit into an answer: first only their sizes are read, then the texts of those that fit. So a page
 * of 100 large runs does not read 100 MB.
 */
function buildPage(conditions: readonly Condition[], isLimited: boolean, { json, bytes }: Form) {
	const all = new QueryBuilder()
		.select({
			...CHAT,
			row: sql<number | null>`${workflowRuns}.rowid`.as("row"),
			bytes: sql<number | null>`${bytes}`.as("bytes"),
			upTo: sql<number | null>`sum(${bytes}) over (order by ${ORDER} rows unbounded preceding)`.as("up_to"),
		})
		.from(chats)
		.leftJoin(workflowRuns, isWanted(conditions))
		.where(IS_CHAT)
		.orderBy(ORDER);
	const sizes = (isLimited ? all.limit(sql.placeholder("limit")) : all).as("sizes");
	// The first one fits, whatever it takes: a page must not be empty.
	const fits = sql`${sizes.upTo} <= ${MAX_ANSWER_BYTES} or ${sizes.upTo} = ${sizes.bytes}`;
	const { userId, revision, change, upTo } = sizes;
	return new QueryBuilder()
		.select({ userId, revision, change, json: sql`case when ${fits} then ${json} end`, upTo })
		.from(sizes)
		.leftJoin(workflowRuns, sql`${workflowRuns}.rowid = ${sizes.row}`);
}
