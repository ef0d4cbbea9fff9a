import type { RunState } from "../protocol/run-state.ts";
import { type AdapterOptions, type ChatOptions, flushQuietly, quietly, send, toError, toOutput } from "./adapter.ts";
import { doId, instanceState, iso, retrying, sleepId, waitId } from "./cloudflare-workflows-run.ts";

export {
	type Followed,
	type FollowOptions,
	follow,
	type InstanceMessages,
	recordEndedInstances,
} from "./cloudflare-workflows-follow.ts";

/*
 * Cloudflare Workflows, from inside: wraps the `step` of a workflow, so that every step says when it starts and ends.
 * docs/engines/cloudflare-workflows.md says what it records.
 */

export interface WorkflowRecording<S extends object> extends AdapterOptions, ChatOptions {
	/** What `run` was called with. */
	readonly event: { readonly instanceId: string; readonly timestamp: Date; readonly workflowName?: string };
	readonly step: S;
}

/** How long a workflow waits for its reports to be sent, before it sleeps and at its end. */
const FLUSH_MILLISECONDS = 2_000;

/**
 * Runs a workflow's code with a recorded `step`. Returns the code's result, and throws its errors.
 *
 * Safe under replay: Workflows runs the code again after a sleep, and gives the results of steps without running them.
 * What is then reported again merges to nothing, since the service keeps the earliest start and the earliest end.
 */
export async function recordWorkflow<S extends object, T>(
	options: WorkflowRecording<S>,
	run: (step: S) => Promise<T>,
): Promise<T> {
	const recorder = new StepRecorder(options);
	try {
		const result = await run(recorder.step);
		await recorder.end("completed", toOutput(result, options.outputs));
		return result;
	} catch (error) {
		if (!isStop(error)) await recorder.end("failed", toError(error));
		throw error;
	}
}

type Method = (...args: unknown[]) => Promise<unknown>;
interface StepContext {
	attempt?: number;
	config?: { retries?: { limit?: number } };
}

class StepRecorder<S extends object> {
	readonly step: S;
	readonly #options: WorkflowRecording<S>;
	readonly #state: RunState;
	/**
	 * Before it rolls back an instance that was terminated, Workflows runs the code once more with steps that do nothing
	 * and give nothing. Until a step really runs, what such a run says is not told.
	 */
	#unsure = false;

	constructor(options: WorkflowRecording<S>) {
		this.#options = options;
		const { event, workflow, messageId } = options;
		this.#state = instanceState(event.instanceId, workflow ?? event.workflowName ?? "cloudflare-workflows", messageId);
		quietly(() => this.#state.start(event.timestamp.getTime()));
		this.#send();
		const recorded: Record<string, Method> = {
			do: (name, ...args) => this.#do(String(name), args),
			sleep: (name, ...args) => this.#sleep("sleep", String(name), args),
			sleepUntil: (name, ...args) => this.#sleep("sleepUntil", String(name), args),
			waitForEvent: (name, ...args) => this.#wait(String(name), args),
		};
		this.step = new Proxy(options.step, {
			get: (target, key) => {
				const value = Reflect.get(target, key, target);
				if (typeof value !== "function") return value;
				const method = typeof key === "string" && Object.hasOwn(recorded, key) ? recorded[key] : undefined;
				return method ?? ((...args: unknown[]) => Reflect.apply(value, target, args));
			},
		});
	}

	async end(status: "completed" | "failed", details: object): Promise<void> {
		if (this.#unsure) return;
		quietly(() => this.#state.end(status, Date.now(), details));
		this.#send();
		await this.#flush();
	}

	async #do(name: string, args: unknown[]): Promise<unknown> {
		const id = doId(this.#occurrence("do", name));
		let attempt: number | undefined;
		const at = args.findIndex((argument) => typeof argument === "function");
		const callback = args[at] as Method;
		const wrapped = async (context: StepContext) => {
			this.#unsure = false;
			attempt = context?.attempt ?? 1;
			this.#tell(() => this.#state.startStep(id, Date.now(), { name, attempt: attempt ?? 1 }));
			try {
				return await callback(context);
			} catch (error) {
				const next = nextAttempt(context, error);
				if (next !== undefined) {
					attempt = next;
					this.#tell(() => this.#state.startStep(id, Date.now(), { name, ...retrying(next, error, Date.now()) }));
				}
				throw error;
			}
		};
		try {
			const result = await this.#call("do", name, args.with(at, wrapped));
			const rollback = args[at + 1] !== undefined;
			if (attempt === undefined && rollback && result === undefined) this.#unsure = true;
			this.#ended(id, "completed", { name, ...(attempt && { attempt }), ...toOutput(result, this.#options.outputs) });
			return result;
		} catch (error) {
			if (!isStop(error)) this.#ended(id, "failed", { name, ...(attempt && { attempt }), ...toError(error) });
			throw error;
		}
	}

	async #sleep(method: "sleep" | "sleepUntil", name: string, args: unknown[]): Promise<unknown> {
		const id = sleepId(this.#occurrence("sleep", name));
		const [until] = args;
		const message =
			method === "sleep"
				? `Sleeps for ${typeof until === "number" ? `${until} ms` : until}`
				: `Sleeps until ${iso(until)}`;
		const now = Date.now();
		this.#tell(() => this.#state.startStep(id, now, { name, activity: { at: iso(now), message } }));
		// While it sleeps, the Worker may be gone, with all that waits to be sent.
		await this.#flush();
		const result = await this.#call(method, name, args);
		this.#ended(id, "completed", { name });
		return result;
	}

	async #wait(name: string, args: unknown[]): Promise<unknown> {
		const id = waitId(this.#occurrence("wait", name));
		const { type } = (args[0] ?? {}) as { type?: unknown };
		const activity = { at: iso(Date.now()), message: `Waits for ${type ?? name}`, waiting: true };
		this.#tell(() => this.#state.startStep(id, Date.now(), { name, activity }));
		await this.#flush();
		try {
			const result = await this.#call("waitForEvent", name, args);
			this.#ended(id, "completed", { name });
			return result;
		} catch (error) {
			if (!isStop(error)) this.#ended(id, "failed", { name, ...toError(error) });
			throw error;
		}
	}

	#call(method: string, name: string, args: unknown[]): Promise<unknown> {
		return (this.#options.step as Record<string, Method>)[method]?.(name, ...args) as Promise<unknown>;
	}

	#occurrence(kind: string, name: string): string {
		return `${name}-${this.#state.occur(`${kind}:${name}`)}`;
	}

	#ended(id: string, status: "completed" | "failed", details: object): void {
		this.#tell(() => this.#state.endStep(id, status, Date.now(), details));
	}

	#tell(change: () => void): void {
		quietly(change);
		this.#send();
	}

	#send(): void {
		if (!this.#unsure) send(this.#options.recorder, this.#options, this.#state);
	}

	#flush(): Promise<void> {
		return flushQuietly(this.#options.recorder, FLUSH_MILLISECONDS);
	}
}

/** Workflows stops the code by an error when an instance is paused, restarted or terminated: it did not fail. */
const isStop = (error: unknown) => /^Aborting engine: User called /.test(toError(error).error.message);

/** The attempt that follows, as the step's configuration says; none after the last. */
function nextAttempt({ attempt = 1, config }: StepContext, error: unknown): number | undefined {
	const limit = config?.retries?.limit;
	const final = (error as { name?: unknown } | null)?.name === "NonRetryableError";
	return limit === undefined || final || attempt > limit ? undefined : attempt + 1;
}
