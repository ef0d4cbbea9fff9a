import { z } from "@hono/zod-openapi";
import { written } from "../http/openapi.ts";

const count = (description: string) => z.int().min(0).openapi({ description });

export const ErasureReceipt = z
	.strictObject({
		data: z.strictObject({
			chats: count("The chats that this request has erased to their end"),
			workflowRuns: count("The runs that this request has erased"),
			more: z.boolean().openapi({ description: "Whether there is more to erase: send the request again" }),
		}),
	})
	.openapi("ErasureReceipt", { example: { data: { chats: 12, workflowRuns: 345, more: false } } });

/** The answers to an erasure, for a route's OpenAPI contract. */
export const erasureResponses = {
	200: written(ErasureReceipt, "All is erased. What earlier requests have erased is not counted again"),
	202: written(ErasureReceipt, "A part is erased, and there is more: send the request again"),
};
