ALTER TABLE `chats` ADD `change` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `chats` ADD `floor` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `chats` ADD `trail` text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE `workflow_runs` ADD `change` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX `workflow_runs_changed` ON `workflow_runs` (`chat_id`,`change`);