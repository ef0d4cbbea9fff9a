CREATE TABLE `user_runs` (
	`user_id` text NOT NULL,
	`status` text NOT NULL,
	`start_order` text NOT NULL,
	`run_id` text NOT NULL,
	PRIMARY KEY(`user_id`, `status`, `start_order`, `run_id`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TRIGGER `user_runs_run_inserted` AFTER INSERT ON `workflow_runs` BEGIN INSERT OR IGNORE INTO `user_runs` SELECT `user_id`, NEW.`status`, ifnull(NEW.`started_at`, '~'), NEW.`id` FROM `chats` WHERE `id` = NEW.`chat_id` AND `deleted_at` IS NULL; END;
--> statement-breakpoint
CREATE TRIGGER `user_runs_run_changes` BEFORE UPDATE OF `status`, `started_at`, `chat_id` ON `workflow_runs` WHEN OLD.`status` <> NEW.`status` OR OLD.`started_at` IS NOT NEW.`started_at` OR OLD.`chat_id` <> NEW.`chat_id` BEGIN DELETE FROM `user_runs` WHERE `user_id` = (SELECT `user_id` FROM `chats` WHERE `id` = OLD.`chat_id`) AND `status` = OLD.`status` AND `start_order` = ifnull(OLD.`started_at`, '~') AND `run_id` = OLD.`id`; END;
--> statement-breakpoint
CREATE TRIGGER `user_runs_run_changed` AFTER UPDATE OF `status`, `started_at`, `chat_id` ON `workflow_runs` WHEN OLD.`status` <> NEW.`status` OR OLD.`started_at` IS NOT NEW.`started_at` OR OLD.`chat_id` <> NEW.`chat_id` BEGIN INSERT OR IGNORE INTO `user_runs` SELECT `user_id`, NEW.`status`, ifnull(NEW.`started_at`, '~'), NEW.`id` FROM `chats` WHERE `id` = NEW.`chat_id` AND `deleted_at` IS NULL; END;
--> statement-breakpoint
CREATE TRIGGER `user_runs_run_deleted` AFTER DELETE ON `workflow_runs` BEGIN DELETE FROM `user_runs` WHERE `user_id` = (SELECT `user_id` FROM `chats` WHERE `id` = OLD.`chat_id`) AND `status` = OLD.`status` AND `start_order` = ifnull(OLD.`started_at`, '~') AND `run_id` = OLD.`id`; END;
--> statement-breakpoint
CREATE TRIGGER `user_runs_chat_changes` BEFORE UPDATE OF `user_id`, `deleted_at` ON `chats` WHEN OLD.`user_id` <> NEW.`user_id` OR (OLD.`deleted_at` IS NULL) <> (NEW.`deleted_at` IS NULL) BEGIN DELETE FROM `user_runs` WHERE (`user_id`, `status`, `start_order`, `run_id`) IN (SELECT OLD.`user_id`, `status`, `start_order`, `id` FROM `workflow_runs` WHERE `chat_id` = OLD.`id`); END;
--> statement-breakpoint
CREATE TRIGGER `user_runs_chat_changed` AFTER UPDATE OF `user_id`, `deleted_at` ON `chats` WHEN OLD.`user_id` <> NEW.`user_id` OR (OLD.`deleted_at` IS NULL) <> (NEW.`deleted_at` IS NULL) BEGIN INSERT OR IGNORE INTO `user_runs` SELECT NEW.`user_id`, `status`, `start_order`, `id` FROM `workflow_runs` WHERE `chat_id` = NEW.`id` AND NEW.`deleted_at` IS NULL; END;
--> statement-breakpoint
INSERT OR IGNORE INTO `user_runs` SELECT `user_id`, `status`, `start_order`, `workflow_runs`.`id` FROM `workflow_runs` JOIN `chats` ON `chats`.`id` = `chat_id` WHERE `deleted_at` IS NULL;
