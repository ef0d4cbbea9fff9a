ALTER TABLE `workflow_runs` ADD `heard_at` text;--> statement-breakpoint
ALTER TABLE `workflow_runs` ADD `told_at` text;--> statement-breakpoint
ALTER TABLE `workflow_runs` ADD `given_up` text;--> statement-breakpoint
CREATE INDEX `workflow_runs_unfinished` ON `workflow_runs` (`heard_at`) WHERE "workflow_runs"."completed_at" is null;