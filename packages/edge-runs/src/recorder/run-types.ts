/// <reference lib="esnext.disposable" preserve="true" />
/** What a run is called, and where it belongs. */
export interface RunOptions {
	/** Any engine's chat id: a UUID as it is, another becomes `uuidFor("chat", id)`. */
	chatId: string;
	/** The chat's owner. Where it is told, the chat is registered first. */
	userId?: string | undefined;
	/** The workflow's name, or its UUID. A name's UUID is `uuidFor("workflow", name)`. */
	workflow: string;
	/** A UUID, or your own id, which becomes `uuidFor("run", id)` and is kept as `externalId`. Left out: a new one. */
	id?: string | undefined;
	/** The chat message that set it off. */
	messageId?: string | undefined;
	/** The run that started this one: as `id`. */
	parentRunId?: string | undefined;
	/** The engine's own id of the run, to find it there. */
	externalId?: string | undefined;
}

export interface ActivityOptions {
	/** Whether it waits for somebody. */
	waiting?: boolean | undefined;
	/** How far it is, from 0 to 1. */
	progress?: number | undefined;
}

/** What a run and a step can say while they last. Once they have ended, nothing more is taken. */
interface Speaker {
	/** What it is doing now. */
	activity(message: string, options?: ActivityOptions): void;
	/** Numbers by name, e.g. `{ tokens: 1200 }`. Totals, not additions: of two values of one name the higher counts. */
	metrics(metrics: Readonly<Record<string, number>>): void;
	/** It is being tried again: 2 is the second attempt. What counts is the state of the highest. */
	attempt(number: number): void;
	/**
	 * Runs `work` as a step inside this one: completed, or failed by what it throws, which is thrown on. Steps may run
	 * beside each other. What is begun by the handle that `work` is given lies within the step.
	 * @returns what `work` returns
	 */
	step<T>(name: string, work: (step: StepHandle) => T): Promise<Awaited<T>>;
}

export interface StepHandle extends Speaker {
	/** Its name, with what it lies in, and which of the steps of that name it is: `plan/search#2`. */
	readonly id: string;
	/** What came of it: any JSON up to 16 KB. Sent with its end. */
	output(value: unknown): void;
}

export interface RunHandle extends Speaker {
	/** Its UUID. */
	readonly id: string;
	/** Its chat's UUID. */
	readonly chatId: string;
	/** It completed. @param output what came of it: any JSON up to 16 KB */
	end(output?: unknown): void;
	/** It failed. @param error whatever was thrown */
	fail(error: unknown): void;
	/** It was cancelled. @param reason for people */
	cancel(reason?: string): void;
	/**
	 * For `await using`: ends the run where nothing has ended it, as completed, and flushes. Whether an error left the
	 * block cannot be known there: call `fail`, or give `recorder.run` a function.
	 */
	[Symbol.asyncDispose](): Promise<void>;
}
