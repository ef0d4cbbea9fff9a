import { type AdapterOptions, type ChatOptions, quietly, send } from "./adapter.ts";
import { EventReader, type InstanceEvent } from "./cloudflare-workflows-events.ts";
import { instanceState } from "./cloudflare-workflows-run.ts";

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
