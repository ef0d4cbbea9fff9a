import { setTimeout as sleep } from "node:timers/promises";

const WORKFLOW = "c2d29867-3d0b-4497-9191-18a9d8ee7830";

interface Step {
	readonly id: string;
	readonly name: string;
	/** The ids of the steps that it waits for. */
	readonly after: readonly string[];
	/** About how long it takes. */
	readonly milliseconds: number;
}

/** The second and the third run side by side. */
const STEPS: readonly Step[] = [
	{ id: "read", name: "Read the question", after: [], milliseconds: 1_500 },
	{ id: "search-web", name: "Search the web", after: ["read"], milliseconds: 4_000 },
	{ id: "search-documents", name: "Search the documents", after: ["read"], milliseconds: 2_500 },
	{ id: "write", name: "Write the answer", after: ["search-web", "search-documents"], milliseconds: 3_500 },
	{ id: "check", name: "Check the answer", after: ["write"], milliseconds: 2_000 },
];
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
}

class StepFailed extends Error {}

/** Plays one run from the queue to its end. */
export async function playRun({ report, say, speed, fails, signal }: PlayOptions): Promise<void> {
	const now = () => new Date().toISOString();
	/** Steps that have not ended, with their start where they have started. */
	const open = new Map<string, string | null>(STEPS.map(({ id }) => [id, null]));
	let startedAt: string | null = null;
	const reportRun = (status: string, more: object) => report({ workflowId: WORKFLOW, status, startedAt, ...more });
	const wait = (milliseconds: number) =>
		sleep((milliseconds * (0.75 + Math.random() / 2)) / speed, undefined, { signal });

	async function playStep({ id, name, milliseconds }: Step): Promise<void> {
		const step = { id, startedAt: now() };
		open.set(id, step.startedAt);
		say("running", name);
		await reportRun("running", { steps: [{ ...step, status: "running" }] });
		await wait(milliseconds);
		if (fails && id === FAILING_STEP) throw new StepFailed(id);
		const completedAt = now();
		open.delete(id);
		say("completed", `${name} (${((Date.parse(completedAt) - Date.parse(step.startedAt)) / 1_000).toFixed(1)} s)`);
		await reportRun("running", { steps: [{ ...step, status: "completed", completedAt }] });
	}

	/** The end of the run, and of the steps that have not ended. */
	async function end(status: "completed" | "failed" | "cancelled", failing?: string): Promise<void> {
		const completedAt = now();
		const steps = [...open].map(([id, stepStartedAt]) => ({
			id,
			startedAt: stepStartedAt,
			completedAt,
			...(id === failing ? { status: "failed", error: { message: FAILURE } } : { status: "cancelled" }),
		}));
		if (failing) say("failed", `${STEPS.find(({ id }) => id === failing)?.name}: ${FAILURE}`);
		say(status, "the run");
		await reportRun(status, { completedAt, steps, ...(failing && { error: { message: FAILURE } }) });
	}

	try {
		say("pending", "queued");
		const steps = STEPS.map(({ id, name }, position) => ({ id, status: "pending", name, position: position + 1 }));
		await reportRun("pending", { steps });
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
