import type { RunState } from "../protocol/run-state.ts";
import { type AdapterOptions, type ChatOptions, quietly, send, toError, toOutput } from "./adapter.ts";
import { doId, instanceState, retrying, sleepId, waitId } from "./cloudflare-workflows-run.ts";

/*
 * Cloudflare Workflows, from outside: by the events of an instance, which tell of its end also where it was terminated
 * (developers.cloudflare.com/workflows/build/subscribe-to-instance-events).
 */

interface Subscription {
	next(): Promise<{ value?: unknown; done?: boolean | undefined }>;
}

/** What is used of a `WorkflowInstance`. */
export interface Followed {
	readonly id: string;
	subscribe(options?: { cursor?: number; filter?: never[] }): Promise<unknown>;
}

export interface FollowOptions extends AdapterOptions {
	/** The workflow's name, as in the Wrangler configuration. */
	readonly workflow: string;
	/** The chat of the run, or a function of the instance's `params`. Undefined: the run is not recorded. */
	// biome-ignore lint/suspicious/noExplicitAny: params are whatever the workflow's author says.
	readonly chat: ChatOptions | ((params: any) => ChatOptions | undefined);
	/** The cursor at which an earlier call stopped. */
	readonly cursor?: number | undefined;
	/** Stops following, e.g. `AbortSignal.timeout(25_000)`. */
	readonly signal?: AbortSignal | undefined;
}

/** How far an instance was followed. */
export interface FollowedTo {
	/** Whether it has ended. */
	readonly ended: boolean;
	/** For the next call. It lies before the steps that are still open, so that their attempts are known there. */
	readonly cursor?: number;
	/** Why it stopped, if it was neither the instance's end nor `signal`. */
	readonly error?: unknown;
}

interface InstanceEvent {
	readonly eventId: number;
	readonly timestamp: number;
	readonly type: string;
	readonly stepName?: string;
	readonly attempt?: number;
	readonly retryDelayMs?: number;
	readonly durationMs?: number;
	readonly eventType?: string;
	readonly error?: unknown;
	readonly output?: unknown;
	readonly params?: unknown;
}

/** Records an instance from its first event, or from `cursor`, until it ends. Never throws. */
export async function follow(instance: Followed, options: FollowOptions): Promise<FollowedTo> {
	const state = instanceState(instance.id, options.workflow);
	const reader = new EventReader(state, options);
	try {
		let chat = typeof options.chat === "function" ? undefined : options.chat;
		if (!chat && options.cursor !== undefined) chat = chatOf(options, await readParams(instance));
		for await (const event of eventsOf(instance, options)) {
			if (event.type === "workflow_started") chat ??= chatOf(options, event.params);
			reader.read(event);
			if (chat) send(options.recorder, chat, state);
		}
		return { ended: state.ended, ...reader.cursor };
	} catch (error) {
		return { ended: state.ended, ...reader.cursor, error };
	}
}

const chatOf = ({ chat }: FollowOptions, params: unknown) => (typeof chat === "function" ? chat(params) : chat);

async function readParams(instance: Followed): Promise<unknown> {
	for await (const event of eventsOf(instance, {})) if (event.type === "workflow_started") return event.params;
	return undefined;
}

async function* eventsOf(
	instance: Followed,
	{ cursor, signal }: Pick<FollowOptions, "cursor" | "signal">,
): AsyncGenerator<InstanceEvent> {
	if (signal?.aborted) return;
	const subscription = (await instance.subscribe(cursor === undefined ? {} : { cursor })) as Subscription;
	const stopped = new Promise<{ done: true; value?: undefined }>((resolve) =>
		signal?.addEventListener("abort", () => resolve({ done: true }), { once: true }),
	);
	try {
		for (;;) {
			const { value, done } = await Promise.race([subscription.next(), stopped]);
			if (done) return;
			yield value as InstanceEvent;
		}
	} finally {
		quietly(() => dispose(subscription));
	}
}

/** What `using` does; older libraries of types have no `Symbol.dispose`. */
function dispose(subscription: Subscription): void {
	const key = (Symbol as { dispose?: symbol }).dispose;
	if (key) (subscription as unknown as Record<symbol, (() => void) | undefined>)[key]?.();
}

class EventReader {
	readonly #state: RunState;
	readonly #options: FollowOptions;
	/** The first event of each step that is open. */
	readonly #open = new Map<string, number>();
	readonly #errors = new Map<string, unknown>();
	#last: number | undefined;
	#paused = false;

	constructor(state: RunState, options: FollowOptions) {
		this.#state = state;
		this.#options = options;
		this.#last = options.cursor;
	}

	get cursor(): { cursor?: number } {
		if (this.#last === undefined) return {};
		return { cursor: Math.min(this.#last, ...[...this.#open.values()].map((first) => first - 1)) };
	}

	read(event: InstanceEvent): void {
		this.#last = event.eventId;
		const { type, timestamp: at, stepName, attempt = 1, error } = event;
		if (stepName === undefined) this.#readRun(type, at, event);
		else if (type.startsWith("sleep_"))
			this.#readPause(sleepId(stepName), event, `Sleeps for ${event.durationMs} ms`, false);
		else if (type.startsWith("wait_")) this.#readPause(waitId(stepName), event, `Waits for ${event.eventType}`, true);
		else if (type === "step_started") this.#start(doId(stepName), event, {});
		else if (type === "attempt_started") this.#start(doId(stepName), event, { attempt, activity: undefined });
		else if (type === "attempt_errored") {
			this.#errors.set(stepName, error);
			if (event.retryDelayMs !== undefined) this.#start(doId(stepName), event, retrying(attempt + 1, error, at));
		} else if (type === "step_completed") {
			this.#end(doId(stepName), "completed", event, toOutput(event.output, this.#options.outputs));
		} else if (type === "step_errored") {
			this.#end(doId(stepName), "failed", event, toError(this.#errors.get(stepName)));
		}
	}

	#readRun(type: string, at: number, event: InstanceEvent): void {
		const { outputs } = this.#options;
		if (type === "workflow_started" || type === "workflow_running") this.#state.start(at);
		if (type === "workflow_running" && this.#paused) this.#state.act(at, "Goes on");
		this.#paused = type === "workflow_paused";
		if (this.#paused) this.#state.act(at, "Paused", true);
		else if (type === "workflow_completed") this.#state.end("completed", at, toOutput(event.output, outputs));
		else if (type === "workflow_errored") this.#state.end("failed", at, toError(event.error));
		else if (type === "workflow_terminated") this.#state.end("cancelled", at);
	}

	#readPause(id: string, event: InstanceEvent, message: string, waiting: boolean): void {
		const activity = { at: new Date(event.timestamp).toISOString(), message, ...(waiting && { waiting }) };
		if (event.type.endsWith("_started")) this.#start(id, event, { activity });
		else if (event.type === "wait_timed_out")
			this.#end(id, "failed", event, toError(event.error ?? "Nothing came in time"));
		else this.#end(id, "completed", event, {});
	}

	#start(id: string, event: InstanceEvent, details: object): void {
		if (!this.#open.has(id)) this.#open.set(id, event.eventId);
		this.#state.startStep(id, event.timestamp, { name: nameOf(event), ...details });
	}

	#end(id: string, status: "completed" | "failed", event: InstanceEvent, details: object): void {
		this.#open.delete(id);
		this.#state.endStep(id, status, event.timestamp, { name: nameOf(event), ...details });
	}
}

/** A step's name as its author wrote it. */
const nameOf = ({ stepName = "" }: InstanceEvent) => stepName.replace(/-\d+$/, "");

/** A batch of a queue that is subscribed to a workflow's events. */
export interface InstanceMessages {
	readonly messages: readonly { readonly body: unknown; ack(): void; retry(): void }[];
}

interface InstanceMessage {
	readonly type?: string;
	readonly source?: { readonly workflowName?: string };
	readonly payload?: { readonly instanceId?: string };
}

const ENDED = /^cf\.workflows\.workflow\.instance\.(completed|errored|terminated)$/;

/**
 * A queue consumer for event subscriptions (developers.cloudflare.com/workflows/reference/event-subscriptions): records
 * every instance that has ended, whole, also one that was terminated from outside and could not say so itself.
 */
export async function recordEndedInstances(
	batch: InstanceMessages,
	options: Omit<FollowOptions, "workflow" | "cursor"> & {
		/** The bindings, by the workflows' names. Messages of other workflows are skipped. */
		readonly workflows: Readonly<Record<string, { get(id: string): Promise<Followed> }>>;
	},
): Promise<void> {
	for (const message of batch.messages) {
		const { type = "", source, payload } = (message.body ?? {}) as InstanceMessage;
		const { workflowName: workflow = "" } = source ?? {};
		const binding = Object.hasOwn(options.workflows, workflow) ? options.workflows[workflow] : undefined;
		if (!binding || !payload?.instanceId || !ENDED.test(type)) {
			message.ack();
			continue;
		}
		try {
			const { ended, error } = await follow(await binding.get(payload.instanceId), { ...options, workflow });
			if (!ended) throw error;
			await options.recorder.flush?.();
			message.ack();
		} catch {
			message.retry();
		}
	}
}
