import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import { createClient, type LineState, type WorkflowRunsFollower } from "#client/index.ts";
import { type Headed, type Service, until } from "./service.ts";
import type { Stage } from "./stage.ts";

/** A tab that follows a chat with the package's client, whatever version of the service it gets to. */
export class Tab {
	readonly #follower: WorkflowRunsFollower;
	readonly #states: LineState[] = [];
	readonly #chat: string;
	#url: URL;
	#line = new AbortController();

	/** @param reader the headers that sign its user in */
	constructor(stage: Stage, url: URL, chat: string, reader: () => Headed) {
		this.#url = url;
		this.#chat = chat;
		const request: typeof fetch = (input, init) => {
			const { pathname } = new URL(String(input));
			const signals = [this.#line.signal, ...(init?.signal ? [init.signal] : [])];
			const headers = { ...(init?.headers as Headed), ...reader() };
			return fetch(new URL(pathname, this.#url), { ...init, headers, signal: AbortSignal.any(signals) });
		};
		this.#follower = createClient(url.href, { fetch: request }).followWorkflowRuns(chat, {
			onState: (state) => this.#states.push(state),
		});
		stage.atEnd(() => this.#follower.close());
	}

	/** A deployment: its line is cut, and it comes back to another version. */
	moveTo(url: URL): void {
		this.#url = url;
		this.#line.abort();
		this.#line = new AbortController();
	}

	/** Until it shows what the list has, by this service. @returns how many runs that is */
	async shows(service: Service): Promise<number> {
		await until("the tab shows what the list has", async () => {
			const list = await service.list(this.#chat);
			return this.#follower.state.status === "live" && isDeepStrictEqual(this.#follower.runs, list);
		});
		return this.#follower.runs.length;
	}

	/** Why its line is lost; null where it is not. */
	get lossReason(): string | null {
		const { state } = this.#follower;
		return state.status === "reconnecting" ? state.reason : null;
	}

	/** @throws where it was not always open, or about to be opened again by itself */
	wasNeverRefused(): void {
		const refused = this.#states.filter(
			(state) => state.status === "ended" || ("reason" in state && state.reason === "refused"),
		);
		assert.deepEqual(refused, []);
	}
}
