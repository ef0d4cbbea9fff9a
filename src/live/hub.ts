import { DurableObject } from "cloudflare:workers";
import type { ChangeMessage, Hub } from "../db/hub.ts";
import { isStoreDown } from "../db/write.ts";
import type { Env } from "../env.ts";
import { type ErrorCode, ServiceError } from "../errors.ts";
import { scopeOf } from "../scope.ts";
import { type Commit, commitReports } from "../workflow-runs/commit.ts";
import type { HubAnswer, HubRecorder } from "../workflow-runs/record.ts";
import type { CheckedRun } from "../workflow-runs/told.ts";
import { GroupCommit } from "./group-commit.ts";
import { encodeMessage, PING, PONG } from "./message.ts";
import { RecentRuns } from "./recent-runs.ts";

/** Refusals of a group that say nothing of each of its reports. */
const MAY_PASS_APART = new Set<ErrorCode>(["STORE_UNAVAILABLE", "HISTORY_FULL", "REPORT_TOO_LARGE"]);

/** In UTF-16 code units of their JSON. */
const MAX_REMEMBERED = 2_000_000;
const MAX_COMMITTED = 2_000_000;
const MAX_WAITING = 16_000_000;

/** A watcher that has given no sign of life for this long is gone. */
const DEAD_MILLISECONDS = 180_000;

interface Job {
	readonly chatId: string;
	readonly requestId: string;
	readonly report: readonly CheckedRun[];
	readonly reportedAt: number;
}

/**
 * The hub of one chat: the chat's one writer, which commits in groups, and what tells its watchers. A Durable Object
 * with nothing stored in it and no timer: idle, it is evicted, its WebSockets stay, and nothing is billed.
 */
export class ChatHub extends DurableObject<Env> implements Hub, HubRecorder {
	readonly #recent = new RecentRuns(MAX_REMEMBERED);
	readonly #group = new GroupCommit<Job, HubAnswer>((jobs) => this.#commit(jobs), {
		together: MAX_COMMITTED,
		waiting: MAX_WAITING,
	});

	constructor(ctx: DurableObjectState, env: Env) {
		super(ctx, env);
		ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG));
	}

	/** Lets a watcher dial in: only this service's Worker can, which has checked who is asking. */
	override async fetch(request: Request): Promise<Response> {
		if (request.headers.get("upgrade") !== "websocket") return new Response(null, { status: 426 });
		const { 0: client, 1: server } = new WebSocketPair();
		this.ctx.acceptWebSocket(server);
		server.serializeAttachment(Date.now());
		return new Response(null, { status: 101, webSocket: client });
	}

	/** A watcher has hung up. */
	override async webSocketClose(watcher: WebSocket): Promise<void> {
		hangUp(watcher);
	}

	override async webSocketError(watcher: WebSocket): Promise<void> {
		hangUp(watcher);
	}

	/**
	 * Records a report of the chat; see `recordRuns`.
	 * @param chatId the chat whose hub this is
	 * @param requestId of the door's request, for the log
	 * @param report as `reportedRuns` gives it: checked, each run once. As JSON, which is also weighed
	 */
	record(chatId: string, requestId: string, report: string): Promise<HubAnswer> {
		const runs: readonly CheckedRun[] = JSON.parse(report);
		return this.#group.add({ chatId, requestId, report: runs, reportedAt: Date.now() }, report.length);
	}

	/** Tells the chat's watchers of a write that did not go through this hub. */
	async tell(message: ChangeMessage): Promise<void> {
		this.#recent.clear();
		this.#broadcast(message);
	}

	/** How many streams watch the chat. */
	async countWatchers(): Promise<number> {
		return this.ctx.getWebSockets().filter((watcher) => this.#isAlive(watcher)).length;
	}

	async #commit(jobs: readonly Job[]): Promise<readonly HubAnswer[]> {
		const [{ chatId, requestId, reportedAt }] = jobs as [Job];
		const scope = scopeOf(this.env, this.ctx, requestId);
		const facts = (written = 0) => ({ ...scope.facts, written, together: jobs.length });
		try {
			const reports = jobs.map(({ report }) => report);
			const { result, bookmark } = await commitReports(scope, chatId, reports, this.#recent);
			this.#conclude(result, bookmark, reportedAt);
			const changed = new Set(result.written?.runs.map(({ run }) => run.id));
			return result.results.map((recorded) =>
				recorded instanceof ServiceError
					? refusal(recorded, facts())
					: { recorded, bookmark, facts: facts(recorded.filter(({ run }) => changed.has(run.id)).length) },
			);
		} catch (error) {
			for (const { report } of jobs) for (const { run } of report) this.#recent.delete(run.id);
			if (!(error instanceof ServiceError)) throw error;
			// What is refused of one report, or of all together, must not fail the others: by halves, few that are refused do not
			// have the others wait for long. A D1 that is down is not asked again for each.
			if (jobs.length > 1 && MAY_PASS_APART.has(error.code) && !isStoreDown(error.cause)) {
				const middle = jobs.length >> 1;
				return [...(await this.#commit(jobs.slice(0, middle))), ...(await this.#commit(jobs.slice(middle)))];
			}
			return jobs.map(() => refusal(error, facts()));
		}
	}

	/** Remembers what was written, and tells of it. */
	#conclude({ written }: Commit, bookmark: string | null, reportedAt: number): void {
		if (!written) return;
		const runs = written.runs.map((stored) => {
			const json = JSON.stringify(stored.run);
			this.#recent.set(stored, json.length);
			return json;
		});
		const message = { from: written.from, to: written.to, bookmark, runs, reportedAt };
		// Behind the answers: hundreds of watchers must not keep the recorders waiting. In the order of the changes.
		this.ctx.waitUntil(scheduler.wait(0).then(() => this.#broadcast(message)));
	}

	#broadcast(message: ChangeMessage): void {
		const watchers = this.ctx.getWebSockets();
		if (watchers.length === 0) return;
		const text = encodeMessage({ ...message, watchers: watchers.length });
		for (const watcher of watchers) {
			try {
				if (this.#isAlive(watcher)) watcher.send(text);
				else hangUp(watcher);
			} catch {
				hangUp(watcher);
			}
		}
	}

	/** A watcher asks for a sign of life once a minute. One that has not for long is gone, and nobody has told us. */
	#isAlive(watcher: WebSocket): boolean {
		const pingedAt = this.ctx.getWebSocketAutoResponseTimestamp(watcher)?.getTime() ?? 0;
		const dialledAt: unknown = watcher.deserializeAttachment();
		return Date.now() - Math.max(pingedAt, Number(dialledAt)) < DEAD_MILLISECONDS;
	}
}

function hangUp(watcher: WebSocket): void {
	try {
		watcher.close(1000);
	} catch {
		// It was closed already.
	}
}

function refusal({ code, message, cause }: ServiceError, facts: HubAnswer["facts"]): HubAnswer {
	return { refusal: { code, message, cause: cause === undefined ? undefined : String(cause) }, facts };
}
