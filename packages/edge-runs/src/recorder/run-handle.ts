import type { WorkflowRunReport, WorkflowRunStepReport } from "../protocol/types.ts";
import { isUuid, uuidFor } from "../protocol/uuid.ts";
import type { Clock } from "./clock.ts";
import type { ActivityOptions, RunHandle, RunOptions, StepHandle } from "./run-types.ts";
import { StepIds } from "./step-ids.ts";
import type { RunReport } from "./types.ts";

/** What handles need of their recorder. */
export interface Reporter {
	report(report: RunReport): void;
	readonly clock: Clock;
}

type State = Pick<WorkflowRunReport, "status" | "completedAt">;
type Said = Partial<WorkflowRunReport>;

/** A run that starts now. It has no method that throws, but for what a step's function throws. */
export function startRun(options: RunOptions, { report, clock }: Reporter): RunHandle {
	const { chatId, userId, id, run } = identify(options);
	const startedAt = now();
	const ids = new StepIds();
	let steps = 0;
	let attempt: number | undefined;
	let state: State = { status: "running" };

	const say = (said: Said = {}) => {
		const { workflowId } = run;
		report({ chatId, userId, run: { id, workflowId, startedAt, ...state, ...numbered(attempt), ...said } });
	};
	const sayStep = (step: WorkflowRunStepReport) => say({ steps: [step] });
	const isOver = () => state.status !== "running";

	function end(status: "completed" | "failed" | "cancelled", said: Said): void {
		if (isOver()) return;
		state = { status, completedAt: now() };
		say({ ...run, ...said });
	}

	async function step<T>(
		name: string,
		parentId: string | undefined,
		work: (step: StepHandle) => T,
	): Promise<Awaited<T>> {
		const stepId = ids.next(name, parentId);
		const known = {
			id: stepId,
			name,
			position: steps++,
			startedAt: now(),
			...(parentId !== undefined && { parentId }),
		};
		let attempt: number | undefined;
		let output: unknown;
		let ended = false;
		const sayThis = (more: Partial<WorkflowRunStepReport> = {}) => {
			if (!ended) sayStep({ ...known, status: "running", ...numbered(attempt), ...more });
		};
		const handle: StepHandle = {
			id: stepId,
			activity: (message, options) => sayThis({ activity: activityOf(clock, message, options) }),
			metrics: (metrics) => sayThis({ metrics: { ...metrics } }),
			attempt(number) {
				attempt = number;
				sayThis();
			},
			output(value) {
				output = value;
			},
			step: (name, work) => step(name, stepId, work),
		};
		sayThis();
		try {
			const result = await work(handle);
			sayThis({ status: "completed", completedAt: now(), ...({ output } as object) });
			return result;
		} catch (error) {
			sayThis({ status: isAbort(error) ? "cancelled" : "failed", completedAt: now(), error: messageOf(error) });
			throw error;
		} finally {
			ended = true;
		}
	}

	say(run);
	return {
		id,
		chatId,
		activity(message, options) {
			if (!isOver()) say({ activity: activityOf(clock, message, options) });
		},
		metrics: (metrics) => say({ metrics: { ...metrics } }),
		attempt(number) {
			if (isOver()) return;
			attempt = number;
			say();
		},
		step: (name, work) => step(name, undefined, work),
		end: (output) => end("completed", { output } as object),
		fail: (error) => end("failed", { error: messageOf(error) }),
		cancel: (reason) => end("cancelled", reason === undefined ? {} : { error: { message: reason } }),
		async [Symbol.asyncDispose]() {
			end("completed", {});
		},
	};
}

/** Runs `work` as a run. */
export async function runAround<T>(run: RunHandle, work: (run: RunHandle) => T): Promise<Awaited<T>> {
	try {
		const result = await work(run);
		run.end();
		return result;
	} catch (error) {
		if (isAbort(error)) run.cancel(messageOf(error).message);
		else run.fail(error);
		throw error;
	}
}

function identify(options: RunOptions) {
	const { chatId, userId, workflow, messageId } = options;
	const given = options.id;
	const id = given === undefined ? crypto.randomUUID() : uuidFor("run", given);
	const isNamed = !isUuid(workflow.toLowerCase());
	const externalId = options.externalId ?? (given !== undefined && given.toLowerCase() !== id ? given : undefined);
	const parentRunId = options.parentRunId === undefined ? undefined : uuidFor("run", options.parentRunId);
	const run: Said & { workflowId: string } = {
		workflowId: uuidFor("workflow", workflow),
		...(isNamed && { workflowName: workflow }),
		...(externalId !== undefined && { externalId }),
		...(messageId !== undefined && { messageId }),
		...(parentRunId !== undefined && { parentRunId }),
	};
	return { chatId: uuidFor("chat", chatId), userId, id, run };
}

const now = () => new Date().toISOString();

const numbered = (attempt: number | undefined) => (attempt === undefined ? {} : { attempt });

const activityOf = (clock: Clock, message: string, { waiting, progress }: ActivityOptions = {}) => ({
	at: clock.next(),
	message,
	...(waiting !== undefined && { waiting }),
	...(progress !== undefined && { progress }),
});

/** What an aborted `fetch`, and most of what takes an AbortSignal, throws: it did not fail, it was called off. */
const isAbort = (error: unknown) => (error as Partial<Error> | null | undefined)?.name === "AbortError";

function messageOf(error: unknown): { message: string } {
	try {
		if (error instanceof Error) return { message: error.message || error.name };
		return { message: typeof error === "string" ? error : (JSON.stringify(error) ?? String(error)) };
	} catch {
		return { message: "an error that cannot be shown" };
	}
}
