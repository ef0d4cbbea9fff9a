CREATE TABLE `chats` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`revision` text NOT NULL,
	`created_at` text NOT NULL,
	`deleted_at` text,
	CONSTRAINT "chats_id_is_uuid" CHECK(length("chats"."id") = 36 and "chats"."id" not glob '*[^0-9a-f-]*'),
	CONSTRAINT "chats_created_at_is_timestamp" CHECK("chats"."created_at" glob '????-??-??T??:??:??.???Z' and "chats"."created_at" not glob '*[^0-9TZ:.-]*'),
	CONSTRAINT "chats_deleted_at_is_timestamp" CHECK("chats"."deleted_at" glob '????-??-??T??:??:??.???Z' and "chats"."deleted_at" not glob '*[^0-9TZ:.-]*')
);
--> statement-breakpoint
CREATE TABLE `workflow_runs` (
	`id` text PRIMARY KEY NOT NULL,
	`chat_id` text NOT NULL,
	`workflow_id` text NOT NULL,
	`status` text NOT NULL,
	`started_at` text,
	`completed_at` text,
	`error` text,
	`steps` text NOT NULL,
	`revision` text NOT NULL,
	`created_at` text NOT NULL,
	`start_order` text GENERATED ALWAYS AS ((ifnull(started_at, '~'))) VIRTUAL NOT NULL,
	FOREIGN KEY (`chat_id`) REFERENCES `chats`(`id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "workflow_runs_id_is_uuid" CHECK(length("workflow_runs"."id") = 36 and "workflow_runs"."id" not glob '*[^0-9a-f-]*'),
	CONSTRAINT "workflow_runs_workflow_id_is_uuid" CHECK(length("workflow_runs"."workflow_id") = 36 and "workflow_runs"."workflow_id" not glob '*[^0-9a-f-]*'),
	CONSTRAINT "workflow_runs_status_is_known" CHECK("workflow_runs"."status" in ('pending', 'running', 'completed', 'failed', 'cancelled')),
	CONSTRAINT "workflow_runs_started_at_is_timestamp" CHECK("workflow_runs"."started_at" glob '????-??-??T??:??:??.???Z' and "workflow_runs"."started_at" not glob '*[^0-9TZ:.-]*'),
	CONSTRAINT "workflow_runs_completed_at_is_timestamp" CHECK("workflow_runs"."completed_at" glob '????-??-??T??:??:??.???Z' and "workflow_runs"."completed_at" not glob '*[^0-9TZ:.-]*'),
	CONSTRAINT "workflow_runs_completed_when_finished" CHECK(("workflow_runs"."completed_at" is not null) = ("workflow_runs"."status" in ('completed', 'failed', 'cancelled'))),
	CONSTRAINT "workflow_runs_completed_after_start" CHECK("workflow_runs"."completed_at" >= "workflow_runs"."started_at"),
	CONSTRAINT "workflow_runs_error_is_json" CHECK(json_valid("workflow_runs"."error")),
	CONSTRAINT "workflow_runs_steps_is_json_array" CHECK(json_valid("workflow_runs"."steps") and json_type("workflow_runs"."steps") = 'array'),
	CONSTRAINT "workflow_runs_created_at_is_timestamp" CHECK("workflow_runs"."created_at" glob '????-??-??T??:??:??.???Z' and "workflow_runs"."created_at" not glob '*[^0-9TZ:.-]*')
);
--> statement-breakpoint
CREATE INDEX `workflow_runs_list` ON `workflow_runs` (`chat_id`,`start_order`,`id`);