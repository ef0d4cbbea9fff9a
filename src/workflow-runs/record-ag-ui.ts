import { AgUiEventError, type AgUiOptions, AgUiReader, continuesRun, runIdOf } from "#protocol/ag-ui.ts";
import { uuidFor } from "#protocol/uuid.ts";
import { type Written, writeD1 } from "../db/write.ts";
import { ServiceError } from "../errors.ts";
import type { Scope } from "../scope.ts";
import type { RecordedRun } from "./merge-reports.ts";
import { recordRuns } from "./record.ts";
import { WorkflowRunReports } from "./report.ts";
import type { WorkflowRun } from "./schemas.ts";
import { readStored } from "./store.ts";

export interface AgUiEvents extends AgUiOptions {
	readonly events: readonly unknown[];
	/** The AG-UI id of the run that the events go on with, if none of them says it. */
	readonly runId: string | undefined;
	/** ms since 1970, for events without a timestamp. */
	readonly now: number;
}

export interface RecordedEvents {
	readonly recorded: readonly RecordedRun[];
	/** What was left out of the runs that the events tell of. */
	readonly warnings: readonly string[];
}

/**
 * Records the runs and steps that AG-UI events tell of. Events from `RUN_STARTED` on may come again and again, since
 * the same events give the same steps. A later part goes on with what is stored.
 *
 * @param chatId lower-case UUID
 * @throws {ServiceError} INVALID_BODY with the index of a malformed event, or as `recordRuns`
 */
export async function recordAgUiEvents(
	scope: Scope,
	chatId: string,
	{ events, runId, now, ...options }: AgUiEvents,
): Promise<Written<RecordedEvents>> {
	const reader = new AgUiReader(options);
	const first = events.find((event) => continuesRun(event) || isStart(event));
	const continued = first === undefined || isStart(first) ? undefined : (runId ?? said(events));
	if (continued !== undefined) reader.resume(continued, await readRun(scope, chatId, uuidFor("ag-ui", continued)));
	for (const [index, event] of events.entries()) refuseAt(index, () => reader.read(event, now));
	const workflowRuns = reader.take();
	if (workflowRuns.length === 0) {
		// Nothing to record, but the chat may be unknown all the same.
		const { bookmark } = await writeD1(scope, (session) => readStored(session, chatId, []));
		return { result: { recorded: [], warnings: [] }, bookmark };
	}
	const checked = WorkflowRunReports.safeParse({ workflowRuns });
	if (!checked.success) {
		const [issue] = checked.error.issues;
		throw new ServiceError("INVALID_BODY", `${issue?.path.join(".")}: ${issue?.message}`);
	}
	const { result: recorded, bookmark } = await recordRuns(scope, chatId, checked.data.workflowRuns);
	return { result: { recorded, warnings: checked.data.warnings }, bookmark };
}

const isStart = (event: unknown) => (event as { type?: unknown } | null)?.type === "RUN_STARTED";

/** The run that a part names; what is malformed is refused later, with its index. */
function said(events: readonly unknown[]): string | undefined {
	try {
		return runIdOf(events);
	} catch {
		return undefined;
	}
}

/** A run of this chat, as it is stored. */
async function readRun(scope: Scope, chatId: string, id: string): Promise<WorkflowRun | null> {
	const { result } = await writeD1(scope, (session) => readStored(session, chatId, [id]));
	const run = result.get(id)?.run;
	return run?.chatId === chatId ? run : null;
}

function refuseAt(index: number, read: () => void): void {
	try {
		read();
	} catch (error) {
		if (error instanceof AgUiEventError) throw new ServiceError("INVALID_BODY", `events.${index}: ${error.message}`);
		throw error;
	}
}
