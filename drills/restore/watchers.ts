import { createClient } from "#client/index.ts";
import { table } from "../../lab/table.ts";
import type { WorkflowRun } from "../../src/workflow-runs/schemas.ts";
import { type Headed, Loop, runsIn, runsPath, type Service, until } from "../service.ts";

/** What only the later state has: runs, and the ends of runs. */
export interface Late {
	readonly runs: readonly string[];
	readonly ended: readonly string[];
}

/** How often somebody has seen which state. */
interface Seen {
	later: number;
	restored: number;
	/** When the restored state was first seen, in milliseconds since the epoch. */
	restoredAt: number;
}

/** From when until when something went on, in milliseconds since the epoch. */
export interface Span {
	readonly begun: number;
	readonly over: number;
}

/** Readers of every kind. Each answer must be of the later state, or of the restored one, and then never of the later. */
export class Watchers {
	readonly #service: Service;
	readonly #late: Late;
	readonly #seen = new Map<string, Seen>();
	readonly #wrong: string[] = [];
	/** Reads that were told to try again. Only those that D1 was at during the restore may be. */
	readonly #refused: (Span & { readonly what: string })[] = [];
	#restore: Span = { begun: 0, over: 0 };
	readonly #stops: (() => unknown)[] = [];

	constructor(service: Service, late: Late) {
		this.#service = service;
		this.#late = late;
	}

	/** Watches a chat's list in each way that there is. @param reader the headers that sign its owner in */
	watch(name: string, chat: string, reader: Headed): void {
		const path = runsPath(chat);
		let etag: string | null = null;
		let bookmark: string | null = null;
		this.#poll(`${name}: the list`, path);
		this.#poll(`${name}: a page of the list`, `${path}?limit=100`);
		this.#poll(`${name}: the list, with the later ETag`, path, {
			headers: () => (etag === null ? {} : { "if-none-match": etag }),
			onAnswer: (headers) => {
				etag = headers.get("etag");
				bookmark ??= headers.get("x-d1-bookmark");
			},
		});
		this.#poll(`${name}: the list, with the later bookmark`, path, {
			headers: () => (bookmark === null ? {} : { "x-d1-bookmark": bookmark }),
		});
		const tell = this.#tellerOf(`${name}: the live client`);
		const client = createClient(this.#service.url.href, { headers: { ...reader } });
		const follower = client.followWorkflowRuns(chat, { onChange: ({ runs }) => tell(runs) });
		this.#stops.push(() => follower.close());
	}

	/** Watches the list over all chats. */
	watchAll(): void {
		this.#poll("all chats", "/api/workflow-runs");
	}

	/** Until everybody has seen the later state. */
	async sawLater(): Promise<void> {
		await until("all readers see the later state", () => [...this.#seen.values()].every(({ later }) => later > 0));
	}

	/**
	 * Until everybody has seen the restored state.
	 * @returns a table of who had it when, and how many reads the restore has cut short
	 */
	async allRestored(restore: Span): Promise<string> {
		this.#restore = restore;
		const isOver = () => this.#wrong.length > 0 || [...this.#seen.values()].every(({ restored }) => restored > 0);
		await until("all readers see the restored state", isOver, 70);
		this.#check();
		const rows = [...this.#seen].map(([name, { later, restored, restoredAt }]) => [
			name,
			String(later),
			String(restored),
			String(restoredAt - restore.over),
		]);
		const seen = table(["reader", "later answers", "restored ones", "after ms"], rows);
		return `${seen}\nreads that were under way in D1, and were told to try again: ${this.#refused.length}`;
	}

	async stop(): Promise<void> {
		for (const stop of this.#stops) await stop();
		this.#check();
	}

	#check(): void {
		const { begun, over } = this.#restore;
		const refused = this.#refused.filter((read) => read.begun > over || read.over < begun);
		const wrong = [...this.#wrong, ...refused.map(({ what }) => what)];
		if (wrong.length > 0) throw new Error(wrong.slice(0, 10).join("\n"));
	}

	#poll(
		name: string,
		path: string,
		{
			headers = () => ({}),
			onAnswer = () => {},
		}: { headers?: () => Headed; onAnswer?: (headers: Headers) => void } = {},
	): void {
		const tell = this.#tellerOf(name);
		let runs: readonly WorkflowRun[] = [];
		const loop = new Loop(async () => {
			const begun = Date.now();
			const answer = await this.#service.read(path, headers());
			const what = `${name}: ${answer.status} ${answer.text}`;
			if (answer.status === 503 && answer.headers.has("retry-after")) {
				this.#refused.push({ begun, over: Date.now(), what });
				return;
			}
			if (answer.status === 200) runs = runsIn(answer);
			else if (answer.status !== 304) this.#wrong.push(what);
			onAnswer(answer.headers);
			tell(runs);
		});
		this.#stops.push(() => loop.stop());
	}

	#tellerOf(name: string): (runs: readonly WorkflowRun[]) => void {
		const seen: Seen = { later: 0, restored: 0, restoredAt: 0 };
		this.#seen.set(name, seen);
		return (runs) => {
			const state = this.#stateOf(runs);
			if (state === "mix")
				this.#wrong.push(`${name}: a mix of both: ${runs.map(({ id, status }) => `${id} ${status}`)}`);
			else if (state === "later" && seen.restored > 0) this.#wrong.push(`${name}: back to the later state`);
			else if (seen[state]++ === 0 && state === "restored") seen.restoredAt = Date.now();
		};
	}

	#stateOf(runs: readonly WorkflowRun[]): "later" | "restored" | "mix" {
		const { runs: late, ended } = this.#late;
		const signs = runs.flatMap(({ id, status }) => {
			if (ended.includes(id)) return [status === "completed"];
			return late.includes(id) ? [true] : [];
		});
		if (signs.length > 0 && signs.every((sign) => sign)) return "later";
		return signs.some((sign) => sign) ? "mix" : "restored";
	}
}
