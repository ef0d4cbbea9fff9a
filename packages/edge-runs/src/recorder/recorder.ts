import { uuidFor } from "../protocol/uuid.ts";
import { ActiveRuns } from "./active-runs.ts";
import type { Given } from "./clean.ts";
import { cleanReport } from "./clean-report.ts";
import { Clock } from "./clock.ts";
import { type Tell, tellBy } from "./errors.ts";
import { isOlder } from "./older-service.ts";
import { openTransport } from "./open-transport.ts";
import { runAround, startRun } from "./run-handle.ts";
import type { RunHandle, RunOptions } from "./run-types.ts";
import { atExit, every, isWorkers } from "./runtime.ts";
import { Sender } from "./sender.ts";
import type { Recorded, Transport } from "./transport.ts";
import type { FlushOptions, Recorder, RecorderOptions, RunReport } from "./types.ts";

const FLUSH_MILLISECONDS = 5_000;
/** `waitUntil` gives 30 s. */
const WAIT_UNTIL_MILLISECONDS = 25_000;
/** How often it is looked which runs have been silent: a part of how long they may be. */
const LOOKS = 4;

/** What a run is that is not recorded: its steps must run all the same. */
const NOBODYS: RunOptions = { chatId: "none", workflow: "none" };

/**
 * Reports runs to an edge-runs service, over HTTP with a service token or over a service binding. It never throws: what
 * is wrong with its options, too, is told to `onError`, and nothing is recorded then.
 *
 * One a process in Node, Deno and Bun. On Workers one a request or workflow instance, since what one request has begun,
 * another cannot wait for.
 */
export function createRecorder(options: RecorderOptions): Recorder {
	const tell = tellBy(options.onError);
	const transport = openTransport(options, tell);
	return new WorkflowRecorder(options, transport, tell);
}

class WorkflowRecorder implements Recorder {
	readonly #tell: Tell;
	readonly #transport: Transport | undefined;
	readonly #sender: Sender | undefined;
	readonly #clock = new Clock();
	readonly #active = new ActiveRuns();
	readonly #waitUntil: RecorderOptions["waitUntil"];
	readonly #heartbeatMilliseconds: number;
	readonly #exitMilliseconds: number;
	#stopHeartbeats: (() => void) | undefined;
	#isClosed = false;
	#isWaitedFor = false;
	#atExit: (() => void) | undefined;

	constructor(options: RecorderOptions, transport: Transport | undefined, tell: Tell) {
		this.#tell = (kind, message, details) => {
			if (kind === "refused" && details?.runIds) this.#active.forget(details.runIds);
			tell(kind, message, details);
		};
		this.#transport = transport;
		this.#waitUntil = options.waitUntil;
		this.#heartbeatMilliseconds = (options.heartbeatSeconds ?? (isWorkers() ? 0 : 60)) * 1000;
		this.#exitMilliseconds = (options.flushAtExitSeconds ?? 5) * 1000;
		this.#sender =
			transport &&
			new Sender({
				transport,
				tell: this.#tell,
				onRecorded: (chatId, recorded) => this.#recorded(chatId, recorded),
				onEmpty: () => this.#emptied(),
				delayMilliseconds: options.delayMilliseconds ?? 20,
				retryMilliseconds: options.retryMilliseconds ?? 500,
				maxWaitingBytes: options.maxWaitingBytes ?? 32_000_000,
			});
	}

	report(report: RunReport): void {
		try {
			this.#take(report);
		} catch (cause) {
			this.#tell("invalid", "a report is not one, and is dropped", { cause });
		}
	}

	#take({ chatId: foreignChatId, userId, run }: RunReport): void {
		if (!this.#sender) return;
		const now = Date.now();
		const chatId = typeof foreignChatId === "string" && foreignChatId !== "" ? uuidFor("chat", foreignChatId) : "";
		const report = chatId && cleanReport(chatId, run as unknown as Given, now);
		if (!report) {
			this.#tell("invalid", "a report lacks a chat, an id, a workflow or a known status, and is dropped");
			return;
		}
		const { head, leftOut } = report;
		if (leftOut.length > 0) {
			this.#tell("invalid", `left out of run ${head.id}: ${leftOut.join("; ")}`, { chatId, runIds: [head.id] });
		}
		this.#active.reported(report, now);
		this.#startHeartbeats();
		this.#sender.add(chatId, userId, report);
		this.#keepAlive(this.#sender);
	}

	run(options: RunOptions): RunHandle;
	run<T>(options: RunOptions, work: (run: RunHandle) => T): Promise<Awaited<T>>;
	run<T>(options: RunOptions, work?: (run: RunHandle) => T): RunHandle | Promise<Awaited<T>> {
		const handle = this.#start(options);
		return work ? runAround(handle, work) : handle;
	}

	#start(options: RunOptions): RunHandle {
		try {
			return startRun(options, { report: (report) => this.report(report), clock: this.#clock });
		} catch (cause) {
			this.#tell("invalid", "a run lacks a chat or a workflow, and is not recorded", { cause });
			return startRun(NOBODYS, { report() {}, clock: this.#clock });
		}
	}

	async flush({ timeoutMilliseconds = FLUSH_MILLISECONDS }: FlushOptions = {}): Promise<void> {
		const left = (await this.#sender?.flush(timeoutMilliseconds)) ?? 0;
		if (left > 0) this.#tell("unsent", `after ${timeoutMilliseconds} ms ${left} runs are not sent`);
	}

	async close(options?: FlushOptions): Promise<void> {
		this.#isClosed = true;
		this.#stopHeartbeats?.();
		await this.flush(options);
	}

	[Symbol.asyncDispose](): Promise<void> {
		return this.close();
	}

	#recorded(chatId: string, { workflowRuns, warnings }: Recorded): void {
		for (const run of workflowRuns) this.#active.heard(run);
		if (warnings.length > 0) this.#tell("warning", `the service left out: ${warnings.join("; ")}`, { chatId });
	}

	/** Sees to it that what waits is sent though nobody waits for it: after a Worker's response, and at a process's end. */
	#keepAlive(sender: Sender): void {
		if (this.#waitUntil && !this.#isWaitedFor) {
			this.#isWaitedFor = true;
			const sent = sender.emptied(WAIT_UNTIL_MILLISECONDS).finally(() => {
				this.#isWaitedFor = false;
			});
			this.#waitUntil(sent);
		}
		let hasFlushed = false;
		this.#atExit ??= atExit(() => {
			// Once: a process whose service is away must end all the same.
			if (!hasFlushed) void this.flush({ timeoutMilliseconds: this.#exitMilliseconds });
			hasFlushed = true;
		});
	}

	#emptied(): void {
		this.#atExit?.();
		this.#atExit = undefined;
	}

	#startHeartbeats(): void {
		if (this.#stopHeartbeats || this.#isClosed || this.#heartbeatMilliseconds <= 0) return;
		this.#stopHeartbeats = every(this.#heartbeatMilliseconds / LOOKS, () => this.#beat());
	}

	/** An older service knows no activities: it would be told nothing. */
	#beat(): void {
		const now = Date.now();
		if (!this.#transport || isOlder(this.#transport.key, now)) return;
		for (const head of this.#active.due(now - this.#heartbeatMilliseconds, now, this.#clock.next())) {
			this.#sender?.add(head.chatId, undefined, { head, weight: 0, steps: [], leftOut: [] });
		}
	}
}
