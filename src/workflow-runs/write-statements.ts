import { eq, getTableColumns, type SQL, sql } from "drizzle-orm";
import { changed, nextChange } from "../db/change.ts";
import { builder } from "../db/drizzle.ts";
import { historyBytes } from "../db/history-bytes.ts";
import { prepareOnce } from "../db/prepared.ts";
import { chats, workflowRuns } from "../db/schema.ts";
import type { toRow } from "./row.ts";

/*
 * The statements of a write. They are built once, not for each report.
 */

/**
 * The guard: if a run has changed since it was read, or the chat is gone, this sets a NOT NULL column to null, and the
 * whole batch fails. D1 batches have no other way to state a condition. A full history sets another one to null. If both
 * are null, SQLite names the one that comes first in the table: the revision.
 */
export const guardStatement = prepareOnce<{
	chatId: string;
	revision: string;
	seen: string;
	growth: number;
	/** Null: the history may grow. */
	limit: number | null;
}>(() => {
	const revision = sql<string>`${sql.placeholder("revision")}`;
	const next = nextChange(revision);
	const grown = sql`${historyBytes} + ${sql.placeholder("growth")}`;
	const limit = sql.placeholder("limit");
	return builder
		.update(chats)
		.set({
			...next,
			historyBytes: grown,
			change: sql`case when ${limit} is null or ${grown} <= ${limit} then ${next.change} end`,
			revision: sql`case when ${chats.deletedAt} is null and not exists (
				select 1 from json_each(${sql.placeholder("seen")}) as seen left join workflow_runs as run on run.id = seen.key
				where run.revision is not seen.value
			) then ${revision} end`,
		})
		.where(eq(chats.id, sql.placeholder("chatId")))
		.returning(changed);
});

type Row = ReturnType<typeof toRow>;

/** The columns that change while a run gets on. No index has them but for `change`. */
const PROGRESS = { error: true, details: true, steps: true, revision: true, toldAt: true } as const;

/** The columns that a report changes: one that is forgotten does not compile. */
const STATE: Readonly<Record<keyof Row | keyof typeof PROGRESS | "heardAt" | "givenUp", true>> = {
	...PROGRESS,
	status: true,
	startedAt: true,
	completedAt: true,
	heardAt: true,
	givenUp: true,
};

type Column = keyof typeof STATE;
type Values = Row & { id: string; chatId: string; revision: string; toldAt: string };

const columns = getTableColumns(workflowRuns);
const value = (name: string) => sql`${sql.placeholder(name)}`;
/** The change number that the guard has given the run's chat. */
const change = sql`(select change from chats where id = ${sql.placeholder("chatId")})`;

/** Never an earlier one: the row may know of a later moment than its writer, as `noteHeard` leaves the revision. */
const latest = (toldAt: SQL) => sql`max(ifnull(${workflowRuns.toldAt}, ''), ${toldAt})`;

/** For each of some columns what it becomes. */
const each = (names: object, become: (name: Column) => SQL) =>
	Object.fromEntries(Object.keys(names).map((name) => [name, become(name as Column)])) as Record<Column, SQL>;

/** Writes a run. */
export const runStatement = prepareOnce<
	Values & { workflowId: string; createdAt: string; heardAt: string; givenUp: null }
>(() =>
	builder
		.insert(workflowRuns)
		.values({
			id: value("id"),
			chatId: value("chatId"),
			workflowId: value("workflowId"),
			createdAt: value("createdAt"),
			change,
			...each(STATE, value),
		})
		.onConflictDoUpdate({
			target: workflowRuns.id,
			set: {
				...each({ ...STATE, change }, (name) => sql.raw(`excluded."${columns[name].name}"`)),
				toldAt: latest(sql`excluded."told_at"`),
			},
		}),
);

/** Writes a run whose status, start and end stay as they are: a row less, since the list's index need not be written. */
export const progressStatement = prepareOnce<Values>(() =>
	builder
		.update(workflowRuns)
		.set({ ...each(PROGRESS, value), toldAt: latest(value("toldAt")), change })
		.where(eq(workflowRuns.id, sql.placeholder("id"))),
);
