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

/** The columns that a report changes: one that is forgotten does not compile. */
const STATE: Readonly<Record<keyof ReturnType<typeof toRow> | "revision", true>> = {
	status: true,
	startedAt: true,
	completedAt: true,
	error: true,
	details: true,
	steps: true,
	revision: true,
};

/** Writes a run with the change number that the guard has given its chat. */
export const runStatement = prepareOnce<
	ReturnType<typeof toRow> & Record<"id" | "chatId" | "workflowId" | "createdAt" | "revision", string>
>(() => {
	const names = Object.keys(STATE) as (keyof typeof STATE)[];
	const value = (name: string) => sql`${sql.placeholder(name)}`;
	const columns = getTableColumns(workflowRuns);
	const change = sql`(select change from chats where id = ${sql.placeholder("chatId")})`;
	const written = (name: "change" | (typeof names)[number]) => sql.raw(`excluded."${columns[name].name}"`);
	return builder
		.insert(workflowRuns)
		.values({
			id: value("id"),
			chatId: value("chatId"),
			workflowId: value("workflowId"),
			createdAt: value("createdAt"),
			change,
			...(Object.fromEntries(names.map((name) => [name, value(name)])) as Record<(typeof names)[number], SQL>),
		})
		.onConflictDoUpdate({
			target: workflowRuns.id,
			set: Object.fromEntries([...names, "change" as const].map((name) => [name, written(name)])),
		});
});
