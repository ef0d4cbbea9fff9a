import { z } from "@hono/zod-openapi";
import { Uuid } from "../uuid.ts";

/** Text that fits into a log line and a header: no control characters, no half of a surrogate pair. */
const USER_ID = /^[^\p{Cc}\p{Cs}]{1,255}$/u;

export const UserId = z
	.string()
	.regex(USER_ID, "must be 1 to 255 characters, none of them a control character")
	// Given as text, and without Unicode's classes: not every generator's patterns know those. Half a surrogate pair is
	// not in it, since JSON in UTF-8 cannot have one.
	.openapi({
		pattern: "^[^\\u0000-\\u001f\\u007f-\\u009f]+$",
		minLength: 1,
		maxLength: 255,
		description: "The owner: better-auth's user id",
		example: "demo-user",
	});

export const ChatRegistration = z
	.strictObject({
		userId: UserId,
		restore: z.boolean().optional().openapi({
			description:
				"true: brings the chat back if it was deleted, with its runs. Otherwise a deleted chat stays deleted",
		}),
	})
	.openapi("ChatRegistration", { example: { userId: "demo-user" } });
export type ChatRegistration = z.infer<typeof ChatRegistration>;

export const ChatItem = z
	.strictObject({ data: z.strictObject({ chat: z.strictObject({ id: Uuid, userId: UserId }).openapi("Chat") }) })
	.openapi("ChatItem");
