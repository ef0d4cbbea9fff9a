ALTER TABLE `chats` ADD `history_bytes` integer;--> statement-breakpoint
ALTER TABLE `workflow_runs` ADD `details` text DEFAULT '{}' NOT NULL;