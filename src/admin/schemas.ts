import { z } from "@hono/zod-openapi";
import { UserId } from "../chats/schemas.ts";
import { Uuid } from "../uuid.ts";
import { Step, WorkflowRun } from "../workflow-runs/schemas.ts";

/*
 * What an operator sees. The least that support needs: ids, owners, states, times, numbers and a run's own error; no
 * output, no step's text, no message of an activity.
 */

/** Rows are counted up to this number, so that no question costs more than it. */
export const MAX_COUNTED = 10_000;

/** How many of the newest are named. */
export const MAX_NAMED = 10;

const moment = z.iso.datetime({ precision: 3 });
const count = z.int().min(0);
const byStatus = z.strictObject({
	pending: count,
	running: count,
	completed: count,
	failed: count,
	cancelled: count,
});

const heardAt = moment.nullable().openapi({
	description:
		"When its last report came, within a quarter of an hour, by the service's clock. Null: by an older version",
});
const isWaiting = z.boolean().openapi({ description: "Whether it waits for somebody, as for an approval" });

const { id, chatId, workflowId, workflowName, externalId, parentRunId } = WorkflowRun.shape;
const { status, assumed, attempt, startedAt, completedAt, error } = WorkflowRun.shape;

export const ChatLook = z
	.strictObject({
		data: z.strictObject({
			chat: z.strictObject({
				id: Uuid,
				userId: UserId.nullable().openapi({
					description: "The owner. Null: the chat was erased, and nothing of it is left",
				}),
				createdAt: moment,
				deletedAt: moment.nullable().openapi({ description: "Since then readers get a 404" }),
				revision: z.string(),
				change: count.openapi({ description: "How many writes have changed anything under the chat" }),
				floor: count.openapi({ description: "A stream that comes back with an earlier change gets a snapshot" }),
				historyBytes: count.nullable().openapi({ description: "Null until the next write counts it" }),
			}),
			runs: z.strictObject({
				byStatus,
				isCapped: z.boolean().openapi({ description: `Whether only the ${MAX_COUNTED} that changed last are counted` }),
				oldestStart: moment.nullable(),
				newestStart: moment.nullable(),
				latest: z
					.array(z.strictObject({ id, status, startedAt, completedAt, createdAt: moment, heardAt, change: count }))
					.openapi({ description: "Those that changed last, newest change first" }),
			}),
			hub: z.strictObject({
				state: z.enum(["ok", "failing", "off"]).openapi({ description: "off: none is bound" }),
				watchers: count.nullable().openapi({ description: "Open streams of the chat, everywhere" }),
			}),
			cachedCopy: z
				.strictObject({
					revision: z.string(),
					change: count,
					bytes: count,
					readAt: moment.openapi({ description: "When it was read from D1" }),
					confirmedAt: moment.openapi({ description: "When D1 last said that it is current" }),
					isCurrent: z.boolean(),
				})
				.nullable()
				.openapi({ description: "What the data centre that answers keeps of the chat" }),
		}),
	})
	.openapi("AdminChat");
export type ChatLook = z.infer<typeof ChatLook>;

export const RunLook = z
	.strictObject({
		data: z.strictObject({
			workflowRun: z.strictObject({
				...{ id, chatId, workflowId, workflowName, externalId, parentRunId },
				...{ status, assumed, attempt, startedAt, completedAt, error },
				userId: UserId,
				chatDeletedAt: moment.nullable(),
				isWaiting,
				createdAt: moment.openapi({ description: "When its first report came" }),
				lastNewsAt: moment.nullable().openapi({ description: "The latest moment that a report told of" }),
				heardAt,
				change: count.openapi({ description: "The chat's change with which it last changed" }),
				bytes: count.openapi({ description: "With its steps" }),
				steps: z.strictObject({
					byStatus,
					open: z
						.array(z.strictObject({ id: Step.shape.id, status, startedAt, attempt, isWaiting }))
						.openapi({ description: `The first ${MAX_NAMED} that run, then those that wait` }),
				}),
			}),
		}),
	})
	.openapi("AdminWorkflowRun");
export type RunLook = z.infer<typeof RunLook>;

export const UserLook = z
	.strictObject({
		data: z.strictObject({
			user: z.strictObject({
				id: UserId,
				chats: z.strictObject({
					live: count,
					deleted: count,
					isCapped: z.boolean().openapi({ description: `Whether only ${MAX_COUNTED} are counted` }),
					latest: z
						.array(z.strictObject({ id: Uuid, createdAt: moment, deletedAt: moment.nullable() }))
						.openapi({ description: "Those that were registered last" }),
				}),
				runs: z
					.strictObject({
						byStatus,
						isCapped: z
							.boolean()
							.openapi({ description: `Whether one of them is ${MAX_COUNTED}, which stands for as many or more` }),
						latest: z
							.array(z.strictObject({ id, chatId, status, startedAt }))
							.openapi({ description: "Not yet started first, then newest start first" }),
					})
					.openapi({ description: "Of the chats that are not deleted" }),
			}),
		}),
	})
	.openapi("AdminUser");
export type UserLook = z.infer<typeof UserLook>;

const names = z.array(z.string());

export const DatabaseLook = z.strictObject({
	bytes: count,
	region: z.string().nullable().openapi({ description: "Of the D1 that answered", example: "WEUR" }),
	migrations: z.strictObject({ applied: names, missing: names }),
});
export type DatabaseLook = z.infer<typeof DatabaseLook>;

/** What is set, by its name in wrangler.toml. */
export const SettingsLook = z.strictObject({
	vars: z
		.record(z.string(), z.string().or(z.number()).or(z.boolean()).nullable())
		.openapi({ description: "By their names in wrangler.toml, with the defaults of those that are not set" }),
	secrets: z.record(z.string(), count).openapi({ description: "How many are set" }),
	bindings: z.record(z.string(), z.boolean()).openapi({ description: "Which of the optional ones are there" }),
});
export type SettingsLook = z.infer<typeof SettingsLook>;
