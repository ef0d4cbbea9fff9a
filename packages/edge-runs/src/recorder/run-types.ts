/// <reference lib="esnext.disposable" preserve="true" />
/** A run's name, and the chat that it belongs to. */
export interface RunOptions {
	/** Any engine's chat id. A UUID stays as it is; another id becomes `uuidFor("chat", id)`. */
	chatId: string;
	/** The chat's owner. If it is given, the chat is registered first. */
	userId?: string | undefined;
	/** The workflow's name, or its UUID. A name's UUID is `uuidFor("workflow", name)`. */
	workflow: string;
	/** A UUID, or your own id, which becomes `uuidFor("run", id)` and is kept as `externalId`. Default: a new UUID. */
	id?: string | undefined;
	/** The chat message that started the run. */
	messageId?: string | undefined;
	/** The id of the run that started this one, in the form of `id`. */
	parentRunId?: string | undefined;
	/** The engine's id of the run, to find it there. */
	externalId?: string | undefined;
}

export interface ActivityOptions {
	/** Whether it waits for somebody. */
	waiting?: boolean | undefined;
	/** How far it is, from 0 to 1. */
	progress?: number | undefined;
}

/** The methods that runs and steps share. After the end of a run or step they do nothing. */
interface Speaker {
	/** Reports what it is doing now. */
	activity(message: string, options?: ActivityOptions): void;
	/** Reports numbers by name, e.g. `{ tokens: 1200 }`. Give totals, not additions: for each name the highest counts. */
	metrics(metrics: Readonly<Record<string, number>>): void;
	/** Reports that it is tried again: 2 is the second attempt. The state of the highest attempt counts. */
	attempt(number: number): void;
	/**
	 * Runs `work` as a step of this run or step. If `work` throws, the step fails, and the error is thrown on. Steps may
	 * run at the same time. For steps inside this step, use the handle that `work` gets.
	 * @returns the value that `work` returns
	 */
	step<T>(name: string, work: (step: StepHandle) => T): Promise<Awaited<T>>;
}

export interface StepHandle extends Speaker {
	/** The names of the steps around it, its name, and its number among steps of this name: `plan/search#2`. */
	readonly id: string;
	/** Sets its result: any JSON up to 16 KB. It is sent with the step's end. */
	output(value: unknown): void;
}

export interface RunHandle extends Speaker {
	/** Its UUID. */
	readonly id: string;
	/** Its chat's UUID. */
	readonly chatId: string;
	/** Reports that it completed. @param output its result: any JSON up to 16 KB */
	end(output?: unknown): void;
	/** Reports that it failed. @param error the thrown value */
	fail(error: unknown): void;
	/** Reports that it was cancelled. @param reason for people */
	cancel(reason?: string): void;
	/**
	 * For `await using`: completes the run if it has not ended, and flushes. It cannot know whether an error left the
	 * block. So call `fail` yourself, or give `recorder.run` a function.
	 */
	[Symbol.asyncDispose](): Promise<void>;
}
