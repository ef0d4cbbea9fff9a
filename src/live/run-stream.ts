import { forOwner } from "../access/owner.ts";
import { isSame, type State, stateId, stateOf } from "../db/change.ts";
import { askD1 } from "../db/read.ts";
import { ServiceError } from "../errors.ts";
import type { Scope, Session } from "../scope.ts";
import { readHistory } from "../workflow-runs/history.ts";
import { parseList } from "../workflow-runs/json.ts";
import { type ChatRun, readChatRun } from "../workflow-runs/read-changes.ts";
import { isTerminal, type WorkflowRun } from "../workflow-runs/schemas.ts";
import { type Opening, ownedBy } from "./chat-stream.ts";
import type { EventWriter, ServerEvent } from "./event-writer.ts";
import type { EndReason, Kind } from "./follow.ts";

/** What a run's stream begins with. */
export interface RunOpening extends Opening {
	/** The run as the client then has it: an event's id is the state with which the run last changed. */
	readonly told: State | null;
	/** Whether the run has ended, so that there is nothing to follow. */
	readonly hasEnded: boolean;
}

/**
 * What a client of a run's stream lacks: the run, unless it has it. D1 is asked, since a run that has just been reported
 * is in no copy.
 * @param since the run's state that the client says it has
 * @throws {ServiceError} as `readHistory`, or RUN_NOT_FOUND
 */
export async function openRunStream(
	scope: Scope,
	session: Promise<Session>,
	chatId: string,
	runId: string,
	since: State | null,
): Promise<RunOpening> {
	const asked = askD1(scope, null, (d1) => readChatRun(d1, chatId, runId));
	try {
		const found = await forOwner(
			scope,
			session,
			asked.then((answer) => answer.found),
		);
		if (!found.run) throw new ServiceError("RUN_NOT_FOUND");
		return opening(found, (await asked).bookmark, since);
	} catch (error) {
		if (!(error instanceof ServiceError && error.code === "STORE_UNAVAILABLE")) throw error;
		return openFromCopy(scope, session, chatId, runId, since, error);
	}
}

function opening(found: ChatRun, bookmark: string | null, since: State | null): RunOpening {
	const run = found.run as NonNullable<ChatRun["run"]>;
	return {
		start: { state: found.state, bookmark },
		userId: found.userId,
		first: isSame(run.state, since) ? [] : [runEvent(run.json, run.state)],
		told: run.state,
		hasEnded: hasEnded(run.json),
	};
}

/** While D1 fails. What has changed since is told when it is back. */
async function openFromCopy(
	scope: Scope,
	session: Promise<Session>,
	chatId: string,
	runId: string,
	since: State | null,
	failure: ServiceError,
): Promise<RunOpening> {
	const history = await readHistory(scope, session, chatId);
	const run = parseList(history.body).find(({ id }) => id === runId);
	// It may have been reported since.
	if (!run && !since) throw failure;
	const start = { state: stateOf(history), bookmark: history.bookmark };
	// Without an id: the copy does not say with which change of the chat the run last changed.
	const first = since ? [] : [{ event: "run", data: JSON.stringify(run) }];
	return { start, userId: history.userId, first, told: since, hasEnded: false };
}

/** A run's stream: that run alone, until it has ended. */
export function runStream(scope: Scope, chatId: string, runId: string, { userId, told }: RunOpening): Kind {
	let latest = told;
	async function tell(json: string, state: State, events: EventWriter): Promise<EndReason | undefined> {
		if (isSame(state, latest)) return undefined;
		latest = state;
		await events.events([runEvent(json, state)]);
		return hasEnded(json) ? "run_ended" : undefined;
	}
	return {
		async catchUp({ bookmark }, events) {
			const answer = await askD1(scope, bookmark, (d1) => readChatRun(d1, chatId, runId));
			const { state, run } = await ownedBy(userId, answer.found);
			const end = run ? await tell(run.json, run.state, events) : "run_ended";
			return { now: { state, bookmark: answer.bookmark }, queries: 1, end };
		},
		async pass(runs, to, events) {
			const json = runs.find((run) => run.startsWith(`{"id":"${runId}"`));
			return json === undefined ? undefined : tell(json, to, events);
		},
	};
}

const runEvent = (data: string, state: State): ServerEvent => ({ event: "run", data, id: stateId(state) });

/** An end that is assumed is none to go away for: there may be news. */
function hasEnded(json: string): boolean {
	const { status, assumed } = JSON.parse(json) as WorkflowRun;
	return isTerminal(status) && !assumed;
}
