CREATE UNIQUE INDEX `chats_user` ON `chats` (`user_id`,`id`);--> statement-breakpoint
CREATE INDEX `chats_deleted` ON `chats` (`deleted_at`) WHERE "chats"."deleted_at" is not null;