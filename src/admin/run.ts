import { eq, getTableColumns } from "drizzle-orm";
import { PRIMARY } from "../db/bookmark.ts";
import { drizzleOver } from "../db/drizzle.ts";
import { runBytes } from "../db/history-bytes.ts";
import { askD1 } from "../db/read.ts";
import { chats, workflowRuns } from "../db/schema.ts";
import { ServiceError } from "../errors.ts";
import type { Scope } from "../scope.ts";
import { detailsJson } from "../workflow-runs/json.ts";
import { parseRow } from "../workflow-runs/row.ts";
import { STATUSES, type Status, type Step } from "../workflow-runs/schemas.ts";
import { MAX_NAMED, type RunLook } from "./schemas.ts";

type Look = RunLook["data"]["workflowRun"];

/**
 * A run as D1's primary has it, in whichever chat it is.
 * @param runId lower-case UUID
 * @throws {ServiceError} RUN_NOT_FOUND, or STORE_UNAVAILABLE
 */
export async function inspectRun(scope: Scope, runId: string): Promise<Look> {
	const { found } = await askD1(scope, PRIMARY, async (session) => {
		const { userId, deletedAt } = chats;
		const columns = { ...getTableColumns(workflowRuns), details: detailsJson, bytes: runBytes };
		return drizzleOver(session)
			.select({ ...columns, userId, deletedAt })
			.from(workflowRuns)
			.innerJoin(chats, eq(chats.id, workflowRuns.chatId))
			.where(eq(workflowRuns.id, runId))
			.get();
	});
	if (!found) throw new ServiceError("RUN_NOT_FOUND", "No run of this id is recorded");
	const stored = parseRow(found);
	const run = stored.givenUp ?? stored.run;
	const { id, chatId, workflowId, workflowName, externalId, parentRunId, steps } = run;
	const { status, assumed, attempt, startedAt, completedAt, error } = run;
	return {
		...{ id, chatId, workflowId, workflowName, externalId, parentRunId },
		...{ status, assumed, attempt, startedAt, completedAt, error },
		userId: found.userId,
		chatDeletedAt: found.deletedAt,
		isWaiting: run.activity?.waiting ?? false,
		createdAt: found.createdAt,
		lastNewsAt: stored.toldAt || null,
		heardAt: found.heardAt,
		change: found.change,
		bytes: found.bytes,
		steps: { byStatus: countByStatus(steps), open: openSteps(steps) },
	};
}

function countByStatus(steps: readonly Step[]): Record<Status, number> {
	const counts = STATUSES.map((status) => [status, steps.filter((step) => step.status === status).length]);
	return Object.fromEntries(counts);
}

/** What may hold the run up: steps that run, then those that have not begun. */
function openSteps(steps: readonly Step[]): Look["steps"]["open"] {
	const open = (status: Status) => steps.filter((step) => step.status === status);
	return [...open("running"), ...open("pending")]
		.slice(0, MAX_NAMED)
		.map(({ id, status, startedAt, attempt, activity }) => ({
			id,
			status,
			startedAt,
			attempt,
			isWaiting: activity?.waiting ?? false,
		}));
}
