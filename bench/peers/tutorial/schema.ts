import { relations, sql } from "drizzle-orm";
import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/* The tables of two-tables.sql. */

interface Failure {
	message: string;
}

export const chats = sqliteTable("chats", {
	id: text("id").primaryKey(),
	userId: text("user_id").notNull(),
	createdAt: text("created_at").notNull(),
	deletedAt: text("deleted_at"),
});

export const workflowRuns = sqliteTable(
	"workflow_runs",
	{
		id: text("id").primaryKey(),
		chatId: text("chat_id")
			.notNull()
			.references(() => chats.id),
		workflowId: text("workflow_id").notNull(),
		status: text("status").notNull(),
		startedAt: text("started_at"),
		completedAt: text("completed_at"),
		error: text("error", { mode: "json" }).$type<Failure>(),
		startOrder: text("start_order").notNull().generatedAlwaysAs(sql`(ifnull(started_at, '~'))`),
	},
	(table) => [index("workflow_runs_of_chat").on(table.chatId, table.startOrder, table.id)],
);

export const steps = sqliteTable(
	"steps",
	{
		runId: text("run_id")
			.notNull()
			.references(() => workflowRuns.id),
		id: text("id").notNull(),
		status: text("status").notNull(),
		startedAt: text("started_at"),
		completedAt: text("completed_at"),
		error: text("error", { mode: "json" }).$type<Failure>(),
		name: text("name"),
		position: integer("position"),
	},
	(table) => [primaryKey({ columns: [table.runId, table.id] }), index("steps_of_run").on(table.runId, table.position)],
);

export const workflowRunsRelations = relations(workflowRuns, ({ many }) => ({ steps: many(steps) }));

export const stepsRelations = relations(steps, ({ one }) => ({
	run: one(workflowRuns, { fields: [steps.runId], references: [workflowRuns.id] }),
}));
