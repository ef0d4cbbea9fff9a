import { z } from "@hono/zod-openapi";
import { Uuid } from "../uuid.ts";

/** Text that fits into a log line and a header: no control characters, no half of a surrogate pair. */
const USER_ID = /^[^\p{Cc}\p{Cs}]{1,255}$/u;

export const UserId = z
	.string()
	.regex(USER_ID, "must be 1 to 255 characters, none of them a control character")
	// Given as text, since the generator would write the flag `u` into it. JSON Schema's patterns are always Unicode.
	.openapi({ pattern: USER_ID.source, description: "The owner: better-auth's user id", example: "demo-user" });

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
