import { setTimeout as sleep } from "node:timers/promises";
import { OUTPUT, RETRY, STEPS, type Step, WORKFLOW } from "./workflow.ts";

const FAILING_STEP = "write";
const FAILURE = "The model did not answer within 30 s";
const QUEUE_MILLISECONDS = 1_500;

export interface PlayOptions {
	/** Reports the run. Each report holds only what has changed: the service merges it into what it knows. */
	readonly report: (body: object) => Promise<void>;
	/** Prints what happens, for a person. */
	readonly say: (status: string, what: string) => void;
	/** How many times as fast as in real life. */
	readonly speed: number;
	/** Whether a step of the run fails. */
	readonly fails: boolean;
	/** Cancels the run. */
	readonly signal: AbortSignal;
	/** What the run says of itself: its name, its id in the engine, what set it off. */
	readonly details?: object;
}

class StepFailed extends Error {}

/** Plays one run from the queue to its end. */
export async function playRun({ report, say, speed, fails, signal, details }: PlayOptions): Promise<void> {
	const now = () => new Date().toISOString();
	/** Steps that have not ended, with their start where they have started. */
	const open = new Map<string, string | null>(STEPS.map(({ id }) => [id, null]));
	let startedAt: string | null = null;
	let tokens = 0;
	const reportRun = (status: string, more: object) => report({ workflowId: WORKFLOW, status, startedAt, ...more });
	const wait = (milliseconds: number) =>
		sleep((milliseconds * (0.75 + Math.random() / 2)) / speed, undefined, { signal });
	const took = (from: string, to: string) => `${((Date.parse(to) - Date.parse(from)) / 1_000).toFixed(1)} s`;

	async function playStep(step: Step): Promise<void> {
		const { id, name, retried } = step;
		const start = now();
		open.set(id, start);
		say("running", name);
		await reportRun("running", { steps: [{ id, startedAt: start, status: "running" }] });
		if (retried) {
			await wait(step.milliseconds / 2);
			say("failed", `${name}: ${RETRY}, trying again`);
			const failed = { id, status: "failed", completedAt: now(), error: { message: RETRY } };
			await reportRun("running", { steps: [failed] });
			await reportRun("running", { steps: [{ id, status: "running", attempt: 2 }] });
		}
		await playActivities(step);
		if (fails && id === FAILING_STEP) throw new StepFailed(id);
		const completedAt = now();
		open.delete(id);
		tokens += step.tokens;
		say("completed", `${name} (${took(start, completedAt)})`);
		const attempt = retried && { attempt: 2 };
		const result = { ...attempt, output: step.output, metrics: { tokens: step.tokens } };
		await reportRun("running", { steps: [{ id, status: "completed", completedAt, ...result }], metrics: { tokens } });
	}

	/** While a step works, it says what it is doing. */
	async function playActivities({ id, activities, milliseconds, retried }: Step): Promise<void> {
		for (const activity of activities) {
			const doing = { at: now(), ...activity };
			const attempt = retried && { attempt: 2 };
			await reportRun("running", { activity: doing, steps: [{ id, status: "running", ...attempt, activity: doing }] });
			await wait(milliseconds / activities.length);
		}
		if (activities.length === 0) await wait(milliseconds);
	}

	/** The end of the run, and of the steps that have not ended. */
	async function end(status: "completed" | "failed" | "cancelled", failing?: string): Promise<void> {
		const completedAt = now();
		const steps = [...open].map(([id, stepStartedAt]) => ({
			id,
			startedAt: stepStartedAt,
			completedAt,
			// Of a step that is tried again, only the end of the second attempt counts.
			attempt: STEPS.find((step) => step.id === id)?.retried ? 2 : 1,
			...(id === failing ? { status: "failed", error: { message: FAILURE } } : { status: "cancelled" }),
		}));
		if (failing) say("failed", `${STEPS.find(({ id }) => id === failing)?.name}: ${FAILURE}`);
		say(status, "the run");
		const result = status === "completed" ? { output: OUTPUT } : failing && { error: { message: FAILURE } };
		await reportRun(status, { completedAt, steps, ...result });
	}

	try {
		say("pending", "queued");
		const steps = STEPS.map(({ id, name, parentId }, position) => ({
			id,
			status: "pending",
			name,
			position: position + 1,
			...(parentId !== undefined && { parentId }),
		}));
		await reportRun("pending", { ...details, steps });
		await wait(QUEUE_MILLISECONDS);
		startedAt = now();
		const done = new Map<string, Promise<void>>();
		for (const step of STEPS) {
			const before = Promise.all(step.after.map((id) => done.get(id)));
			done.set(
				step.id,
				before.then(() => playStep(step)),
			);
		}
		await Promise.all(done.values());
		await end("completed");
	} catch (error) {
		if (error instanceof StepFailed) await end("failed", error.message);
		else if (signal.aborted) await end("cancelled");
		else throw error;
	}
}
