import { type SQL, sql } from "drizzle-orm";
import { isMarked } from "./change.ts";
import { chats, workflowRuns } from "./schema.ts";

/*
 * What a chat's runs take is counted in the chat's row, so that no write has to add it up: each one adds what it makes
 * its runs grow. Nobody has counted what 0.1 or an operator's SQL wrote, which leave a revision without its mark, or
 * where runs were deleted. Then the next write adds up once.
 */

/** A run as JSON without its texts, about: ids, status, times, names of fields. */
export const RUN_BYTES = 300;

/** SQL: what a run takes without its steps, in bytes. */
export const lightBytes: SQL<number> = sql<number>`(octet_length(${workflowRuns.details})
	+ ifnull(octet_length(${workflowRuns.error}), 0) + ${sql.raw(String(RUN_BYTES))})`;

/** SQL: what a run takes, in bytes, about as it is served. SQLite knows the lengths without reading the texts. */
export const runBytes: SQL<number> = sql<number>`(octet_length(${workflowRuns.steps}) + ${lightBytes})`;

/** SQL: what the runs of a chat's row take, added up. */
export const addedBytes: SQL<number> = sql<number>`(select ifnull(sum(${runBytes}), 0) from ${workflowRuns}
	where ${workflowRuns.chatId} = ${chats.id})`;

/** SQL: what the runs of a chat's row take. */
export const historyBytes: SQL<number> = sql<number>`case when ${isMarked} and ${chats.historyBytes} is not null
	then ${chats.historyBytes} else ${addedBytes} end`;
