import { type SQL, sql } from "drizzle-orm";
import {
	type AnySQLiteColumn,
	check,
	index,
	integer,
	primaryKey,
	sqliteTable,
	text,
	uniqueIndex,
} from "drizzle-orm/sqlite-core";

/*
 * Values are stored as the text that is served, so that a read neither parses nor formats them.
 * The CHECKs make this safe: the columns of any row can be put into JSON as they are, even if another program wrote it.
 * D1 limits a GLOB pattern to 50 bytes, so each check is a length and an alphabet.
 */

/** A lower-case UUID. */
const isUuid = (column: AnySQLiteColumn): SQL => sql`length(${column}) = 36 and ${column} not glob '*[^0-9a-f-]*'`;

/** `YYYY-MM-DDThh:mm:ss.sssZ`, or null. */
const isTimestamp = (column: AnySQLiteColumn): SQL =>
	sql`${column} glob '????-??-??T??:??:??.???Z' and ${column} not glob '*[^0-9TZ:.-]*'`;

/** A chat and its owner. */
export const chats = sqliteTable(
	"chats",
	{
		/** Lower-case UUID. */
		id: text("id").primaryKey(),
		/** The owner: better-auth's user id. Empty, with `deleted_at`: the chat was erased, and no run of it may come back. */
		userId: text("user_id").notNull(),
		/** Opaque and random; replaced by every write that changes anything under the chat. */
		revision: text("revision").notNull(),
		createdAt: text("created_at").notNull(),
		/** Soft deletion: a chat with this set does not exist for readers. */
		deletedAt: text("deleted_at"),
		/** Counts the writes that changed anything under the chat; see `db/change.ts`. */
		change: integer("change").notNull().default(0),
		/** Who has a state of an earlier change than this cannot be told what changed since: runs have gone. */
		floor: integer("floor").notNull().default(0),
		/**
		 * What the chat's runs take, in bytes, as `workflow-runs/history-size.ts` counts. Null: nobody has counted. Right only
		 * if the trail has the mark of the latest revision, as 0.1 writes without counting.
		 */
		historyBytes: integer("history_bytes"),
		/** The first 8 characters of the revisions of the latest changes, the newest last. */
		trail: text("trail").notNull().default(""),
	},
	(table) => [
		// A user's chats, each with its runs in their order: SQLite keeps an inner loop's order behind a unique outer one only.
		uniqueIndex("chats_user").on(table.userId, table.id),
		// What is to be purged. Written when a chat is deleted.
		index("chats_deleted").on(table.deletedAt).where(sql`${table.deletedAt} is not null`),
		check("chats_id_is_uuid", isUuid(table.id)),
		check("chats_created_at_is_timestamp", isTimestamp(table.createdAt)),
		check("chats_deleted_at_is_timestamp", isTimestamp(table.deletedAt)),
	],
);

/** One row for each run. Its steps are a JSON column: exactly the text that is served. */
export const workflowRuns = sqliteTable(
	"workflow_runs",
	{
		/** Lower-case UUID. */
		id: text("id").primaryKey(),
		chatId: text("chat_id")
			.notNull()
			.references(() => chats.id),
		/** Lower-case UUID. */
		workflowId: text("workflow_id").notNull(),
		status: text("status", { enum: ["pending", "running", "completed", "failed", "cancelled"] }).notNull(),
		startedAt: text("started_at"),
		completedAt: text("completed_at"),
		/** JSON: `{"message": …}`, or null. */
		error: text("error"),
		/**
		 * JSON: an object of the run's optional fields, in their order. Without a CHECK, which would have SQLite read every
		 * row there is to add the column: `workflow-runs/json.ts` splices it with care.
		 */
		details: text("details").notNull().default("{}"),
		/** JSON: an array of steps, in their order. */
		steps: text("steps").notNull(),
		/** The chat's revision with which this run last changed. */
		revision: text("revision").notNull(),
		/** The chat's change number with which this run last changed. 0.1 leaves it as it was. */
		change: integer("change").notNull().default(0),
		createdAt: text("created_at").notNull(),
		/**
		 * When the service last heard news of the run, by its own clock, within some minutes. Null: the row was written by a
		 * version that does not know the column, and the next round of the cron begins to listen.
		 */
		heardAt: text("heard_at"),
		/** The latest moment that any report of the run told of; empty: none did. Null: the row is older than the column. */
		toldAt: text("told_at"),
		/**
		 * JSON, of a run that was given up: `{ revision, status, error, details }`, which were so before, but for the revision.
		 * Once the run has another revision it says nothing. See `workflow-runs/give-up.ts`.
		 */
		givenUp: text("given_up"),
		/**
		 * The list is ordered by it, descending: the start, with runs that have not started
		 * first ("~" sorts behind every digit).
		 */
		startOrder: text("start_order").notNull().generatedAlwaysAs(sql`(ifnull(started_at, '~'))`, { mode: "virtual" }),
	},
	(table) => [
		index("workflow_runs_list").on(table.chatId, table.startOrder, table.id),
		// For "what has changed since": it costs what changed, not what is stored.
		index("workflow_runs_changed").on(table.chatId, table.change),
		// For retention: without it each round would read every run there is. Written once a run, when it ends.
		index("workflow_runs_completed").on(table.completedAt).where(sql`${table.completedAt} is not null`),
		// For runs that went silent: each round costs those that are due, and not all that run.
		index("workflow_runs_unfinished").on(table.heardAt).where(sql`${table.completedAt} is null`),
		check("workflow_runs_id_is_uuid", isUuid(table.id)),
		check("workflow_runs_workflow_id_is_uuid", isUuid(table.workflowId)),
		check(
			"workflow_runs_status_is_known",
			sql`${table.status} in ('pending', 'running', 'completed', 'failed', 'cancelled')`,
		),
		check("workflow_runs_started_at_is_timestamp", isTimestamp(table.startedAt)),
		check("workflow_runs_completed_at_is_timestamp", isTimestamp(table.completedAt)),
		check(
			"workflow_runs_completed_when_finished",
			sql`(${table.completedAt} is not null) = (${table.status} in ('completed', 'failed', 'cancelled'))`,
		),
		check("workflow_runs_completed_after_start", sql`${table.completedAt} >= ${table.startedAt}`),
		check("workflow_runs_error_is_json", sql`json_valid(${table.error})`),
		check("workflow_runs_steps_is_json_array", sql`json_valid(${table.steps}) and json_type(${table.steps}) = 'array'`),
		check("workflow_runs_created_at_is_timestamp", isTimestamp(table.createdAt)),
	],
);

/**
 * A user's runs over all chats: an entry for each run of a chat that is there, none for a deleted chat's. Triggers keep it,
 * in the transaction of each write, so that 0.1 and an operator's SQL need not know of it. Without a rowid: the entry is
 * the index. `drizzle/0004_user_runs.sql` has the triggers.
 */
export const userRuns = sqliteTable(
	"user_runs",
	{
		/** The chat's owner. */
		userId: text("user_id").notNull(),
		status: text("status").notNull(),
		/** As `workflow_runs.start_order`. */
		startOrder: text("start_order").notNull(),
		runId: text("run_id").notNull(),
	},
	(table) => [primaryKey({ columns: [table.userId, table.status, table.startOrder, table.runId] })],
);
