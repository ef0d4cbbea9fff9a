import { RunState, toTimestamp } from "../protocol/run-state.ts";
import { uuidFor } from "../protocol/uuid.ts";
import { type AdapterOptions, type ChatOptions, flushQuietly, quietly, send, toError, toOutput } from "./adapter.ts";

/*
 * Inngest (inngest, 4): a middleware that records every run of the functions it is given to, and its steps.
 * docs/engines/inngest.md says what it records.
 *
 * A run is spread over many requests, maybe to many machines, so that nothing is remembered from one to the next: every
 * hook says what it sees, and the service puts it together.
 */

/** What is used of a hook's `ctx`. */
export interface InngestContext {
	readonly runId: string;
	/** From 0, for the step or the function itself that is tried now. */
	readonly attempt: number;
	// biome-ignore lint/suspicious/noExplicitAny: an event is whatever the app's author says.
	readonly event: any;
}

export interface InngestRecording extends AdapterOptions {
	/** The chat of a run, by its event. Undefined: the run is not recorded. */
	readonly chat: (context: InngestContext) => ChatOptions | undefined;
}

/** `Middleware.BaseMiddleware` of inngest, or another middleware. */
// biome-ignore lint/suspicious/noExplicitAny: only `any[]` fits the constructor of every class (TypeScript, mixins).
type MiddlewareClass = abstract new (...args: any[]) => object;

/** How long the answer to a request of Inngest waits until what it did is sent: afterwards the machine may sleep. */
const FLUSH_MILLISECONDS = 2_000;

/** A middleware for `new Inngest({ middleware })`: `inngestRecorder(Middleware.BaseMiddleware, options)`. */
export function inngestRecorder<B extends MiddlewareClass>(Base: B, options: InngestRecording) {
	const hooks = new RunRecorder(options);
	abstract class Recording extends Base {
		readonly id = "edge-runs";

		onRunStart(told: Told): void {
			hooks.run(told, (state, now) => state.start(now));
		}

		onRunComplete({ output, ...told }: Told & { output: unknown }): void {
			hooks.run(told, (state, now) => state.end("completed", now, toOutput(output, options.outputs)));
		}

		onRunError({ error, isFinalAttempt, ...told }: Told & Failed): void {
			hooks.run(told, (state, now) => {
				if (isFinalAttempt) state.end("failed", now, toError(error));
				else state.act(now, `Tries again after: ${toError(error).error.message}`);
			});
		}

		onStepStart({ stepInfo, ...told }: Told & OfStep): void {
			hooks.step(told, stepInfo, (state, id, now, step) => state.startStep(id, now, step));
		}

		onStepComplete({ stepInfo, output, ...told }: Told & OfStep & { output: unknown }): void {
			hooks.step(told, stepInfo, (state, id, now, step) =>
				state.endStep(id, "completed", now, { ...step, ...toOutput(output, options.outputs) }),
			);
		}

		onStepError({ stepInfo, error, isFinalAttempt, ...told }: Told & OfStep & Failed): void {
			hooks.step(told, stepInfo, (state, id, now, step) => {
				if (isFinalAttempt) state.endStep(id, "failed", now, { ...step, ...toError(error) });
				else {
					const message = `Tries again after: ${toError(error).error.message}`;
					state.startStep(id, now, {
						...step,
						attempt: told.ctx.attempt + 2,
						activity: { at: toTimestamp(now), message },
					});
				}
			});
		}

		/** Sleeps and waits have no hooks of their own: they are seen when they begin, and when they are over. */
		async wrapStep({ stepInfo, next, ...told }: Told & OfStep & { next: () => Promise<unknown> }): Promise<unknown> {
			const says = WAITS[stepInfo.stepType];
			if (says !== undefined) {
				hooks.step(told, stepInfo, (state, id, now, step) => {
					if (stepInfo.memoized) state.endStep(id, "completed", now, step);
					else {
						const waiting = stepInfo.stepType !== "sleep" && { waiting: true };
						state.startStep(id, now, { ...step, activity: { at: toTimestamp(now), message: says, ...waiting } });
					}
				});
			}
			return next();
		}

		async wrapRequest({ next }: { next: () => Promise<unknown> }): Promise<unknown> {
			const response = await next();
			await flushQuietly(options.recorder, FLUSH_MILLISECONDS);
			return response;
		}
	}
	// Its hooks are those of inngest's own class; TypeScript cannot see that from here.
	return Recording as unknown as B & (new (...args: ConstructorParameters<B>) => InstanceType<B> & { id: string });
}

const WAITS: Readonly<Record<string, string>> = {
	sleep: "Sleeps",
	waitForEvent: "Waits for an event",
	waitForSignal: "Waits for a signal",
	invoke: "Waits for another function",
};

/** What every hook is told. */
interface Told {
	readonly ctx: InngestContext;
	readonly fn: { readonly opts?: { readonly id?: string; readonly name?: string } };
}

interface Failed {
	readonly error: unknown;
	readonly isFinalAttempt: boolean;
}

interface OfStep {
	readonly stepInfo: {
		readonly hashedId: string;
		readonly memoized: boolean;
		readonly stepType: string;
		readonly options: { readonly id: string; readonly name?: string };
	};
}

interface StepNow {
	readonly name: string;
	readonly attempt: number;
}

class RunRecorder {
	readonly #options: InngestRecording;

	constructor(options: InngestRecording) {
		this.#options = options;
	}

	run({ ctx, fn }: Told, change: (state: RunState, now: number) => void): void {
		quietly(() => {
			const chat = this.#options.chat(ctx);
			if (!chat) return;
			const workflow = this.#options.workflow ?? fn.opts?.name ?? fn.opts?.id ?? "inngest";
			const state = new RunState(
				{
					id: uuidFor("inngest", ctx.runId),
					workflowId: uuidFor("workflow", workflow),
					workflowName: workflow,
					externalId: ctx.runId,
					...(chat.messageId !== undefined && { messageId: chat.messageId }),
				},
				{ part: true },
			);
			change(state, Date.now());
			send(this.#options.recorder, chat, state);
		});
	}

	step(
		told: Told,
		{ hashedId, options, memoized }: OfStep["stepInfo"],
		change: (state: RunState, id: string, now: number, step: StepNow) => void,
	): void {
		// The attempt is that of what runs now, not of what is remembered.
		const step = { name: options.name ?? options.id, attempt: memoized ? 1 : told.ctx.attempt + 1 };
		this.run(told, (state, now) => change(state, hashedId, now, step));
	}
}
